"""Streams texts over connections that are cut again and again, and compares what arrived.

``python -m reliability.cuts --cuts 1000 --seed 1``: a server in a process of its own, the
fault proxy in front of it, and the Python client or the recipe of ``docs/protocol.md``, over each
transport. The same code, with small counts, is a test.
"""
