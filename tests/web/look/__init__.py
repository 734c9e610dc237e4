"""Templates, style and theme."""
