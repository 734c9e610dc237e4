"""Apps behind the door, through real servers."""
