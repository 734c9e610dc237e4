"""Promises of the settings: what is read, what is refused, and what is never shown."""
