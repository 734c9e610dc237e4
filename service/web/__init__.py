"""HTTP: forms, cookies, status codes, headers, limits, metrics.

Owns the translation between browsers and the rules, in both directions, and decides nothing about
identity itself. Pages (`sign_in`, `account`, `set_up`) never import one another.
"""
