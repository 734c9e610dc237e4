"""Pages, one route at a time through the client."""
