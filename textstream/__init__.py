"""Stream generated text over WebSocket, character by character or token by token."""

__version__ = "0.1.0"
