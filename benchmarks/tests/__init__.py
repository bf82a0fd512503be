"""Tests of the benchmark itself: figures from a broken harness are worse than none."""
