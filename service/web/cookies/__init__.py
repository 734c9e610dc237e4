"""Cookies: the session, the device cookie, and notices."""
