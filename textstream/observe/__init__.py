"""What an operator sees: figures that cost next to nothing to keep, and the audit log.

Figures are plain integers that whoever does the work counts up. All that it takes to make something
of them is done when they are read.
"""
