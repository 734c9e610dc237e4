"""How pages look: theme, assets, templates, and nginx's error pages."""
