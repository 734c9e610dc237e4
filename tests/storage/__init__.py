"""What the stores promise, on every engine, and what happens when an engine fails."""
