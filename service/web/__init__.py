"""HTTP: pages, cookies, status codes, headers, limits, metrics. Translates; the rules decide."""
