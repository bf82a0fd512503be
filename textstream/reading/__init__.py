"""Reading: from a stream's log to a reader's sink, on time."""
