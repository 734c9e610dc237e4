"""What nginx and other proxies are given: renderers of their files, from the settings."""
