"""Cookies: read in exactly one way, issued with every attribute that protects them, and deleted."""
