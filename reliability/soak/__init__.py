"""Connects, streams, cuts, resumes and stops for as long as wanted, and measures the server.

``python -m reliability.soak --minutes 20 --seed 1``. See "Soak" in ``docs/reliability.md``.
"""
