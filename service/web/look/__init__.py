"""What people see: theme, assets, templates, and the pages that nginx serves by itself."""
