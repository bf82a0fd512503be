"""Between Engine.IO and the socket."""
