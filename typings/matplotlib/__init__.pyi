# What weft_collector.render.figure uses; the library's own annotations are partly unknown to a strict checker.
