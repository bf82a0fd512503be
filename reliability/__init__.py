"""Proof that nothing is lost: in small by ``make reliability``, in large by themselves."""
