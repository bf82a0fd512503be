"""A fuzzer over four layers of input: ``python -m tests.reliability.fuzz``."""
