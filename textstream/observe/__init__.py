"""What an operator sees: figures that cost next to nothing to keep, and the audit log.

Figures are plain integers that whoever does the work counts up. What turns them into Prometheus's
format reads them when it is asked (`textstream.web.metrics`), and no code of that library runs
beside a character, a start or a connection.
"""
