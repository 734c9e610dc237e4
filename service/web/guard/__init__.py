"""Who is let near a page: proxy trust, Host, cross-site requests, blocked networks, the outer limit, forms."""
