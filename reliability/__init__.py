"""Proof that nothing is lost, in small counts by ``make test`` and in large ones by their own."""
