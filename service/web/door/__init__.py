"""The door: may this request for an app pass? Asked by nginx (/auth/verify) and other proxies (/auth/forward).

It stands before Flask and needs no framework: every request for an app that nginx does not remember comes here.

    original    what a proxy says about the request that was sent to it
    check       the verdict
    door        the two questions and their answers
    app_request what the app's request is to carry
    refusals    whole refusals, as the client gets them
"""
