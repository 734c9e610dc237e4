"""Apps behind the door, through real proxies."""
