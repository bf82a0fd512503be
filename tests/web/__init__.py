"""The web layer: the connection lab, and what it stands on."""
