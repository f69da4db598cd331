"""Pictures of the graph: one layout, one scene, and a writer for each format."""
