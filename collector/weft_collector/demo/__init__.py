"""The demo: real services under steady traffic, and the proof that the graph shows what they did."""
