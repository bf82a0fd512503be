"""WebSockets in threading mode without a thread each.

::

    socketio = SocketIO(app, async_mode="threading")
    textstream.transport.install(socketio)

After the handshake a WebSocket is handed from the WSGI server's thread to one reactor thread.
All of Flask-SocketIO's API goes on working. See ``docs/transport.md``.
"""

from textstream.transport.driver import install

__all__ = ["install"]
