"""Servers to compare with, each run as a process of its own: ``python -m benchmarks.peers.NAME``.

All speak the same: ``start_stream {text, rate}`` is answered by one ``new_char`` per character,
then ``stream_end``; rate 0 is unpaced. ``join`` puts a connection among the viewers, and
``broadcast {text, rate}`` sends to all of them. ``GET /healthz`` answers 200.
"""
