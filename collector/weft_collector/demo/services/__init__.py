"""The demo's services: small programs, each in a process of its own, written to be read as examples."""
