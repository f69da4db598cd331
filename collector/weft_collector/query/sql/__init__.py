"""SQL over the spans, in a confined process of its own."""
