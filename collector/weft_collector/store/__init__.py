"""The store: an ordered, durable log of everything accepted, and the columns of its newest spans."""
