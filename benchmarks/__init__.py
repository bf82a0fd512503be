"""The same work on several servers in turn, in one run: ``python -m benchmarks``."""
