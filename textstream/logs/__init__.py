"""Append-only logs of units: what a producer writes and readers read."""
