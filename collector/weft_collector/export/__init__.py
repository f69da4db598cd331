"""Data for other tools: one row a call, in the formats that they read."""
