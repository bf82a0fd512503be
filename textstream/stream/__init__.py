"""The text: from its source to its log."""
