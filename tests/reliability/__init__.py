"""The programs in ``reliability/``: their inputs, their maths, and that they can tell a fault."""
