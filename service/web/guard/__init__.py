"""What a request passes before a page: Host, cross-site check, blocks, outer limit, reading of forms, session."""
