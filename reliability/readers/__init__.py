"""Readers of every kind, measured: many viewers of one stream, and a slow one among fast ones.

``python -m reliability.readers`` prints the figures of ``docs/reliability.md``.
``reliability/tests/test_readers.py`` does the same on a small scale.
"""
