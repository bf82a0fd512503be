"""The server: Flask, Flask-SocketIO, and what speaks HTTP and Socket.IO."""
