"""Who is there: the streams, the connections, and who reads and owns what."""
