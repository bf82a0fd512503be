"""What ``benchmarks/trips.py`` is made of: a profiled server, its client, and the figures."""
