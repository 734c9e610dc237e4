"""Who is let near a page, and what every answer carries."""
