"""The commands of `weft` that need the collector's libraries, each loaded on use."""
