"""Promises of the rules about where a browser may go."""
