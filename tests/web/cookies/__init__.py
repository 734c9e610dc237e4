"""Sessions and device cookies in browsers."""
