"""Answers over span tables and the log: search, traces, distinct names and values, SQL."""
