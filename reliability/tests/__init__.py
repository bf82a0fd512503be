"""Each program in small: the same code for seconds instead of minutes (``make reliability``)."""
