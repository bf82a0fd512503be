"""How much anybody may: who asks, what the server keeps for them, and how they share it."""
