"""The collector's HTTP surfaces, one file each; `app.py` only wires them together."""
