"""Bytes as they were sent to columns: encodings undone, OTLP protobuf decoded, each text kept once."""
