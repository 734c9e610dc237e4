"""The pages: sign-in, account, app passwords, choosing a password by a one-time link. They never import one another."""
