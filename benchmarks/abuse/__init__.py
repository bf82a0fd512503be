"""Hostile clients, and clients that come and go: ``python -m benchmarks.abuse``."""
