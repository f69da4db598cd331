"""Hooks: one file per library, and only that file imports the library."""
