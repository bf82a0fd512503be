"""What clients may send after the handshake, right and wrong: a list of our own.

In kind what the Autobahn test suite tries in its sections 1 to 7 and 10. There any text is echoed;
here a text message begins with ``4``, as Engine.IO's messages do.
"""
