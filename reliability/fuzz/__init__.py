"""A fuzzer over four layers of input: ``python -m reliability.fuzz``."""
