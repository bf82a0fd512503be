"""HTTP/1.1 as the reactor reads it: heads and bodies of requests (RFC 9112)."""
