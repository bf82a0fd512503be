"""Who asks, and how much anybody may."""
