"""Three servers that share a store, behind nginx: one after the other ends, nothing is lost."""
