"""Who are you: the rules of accounts, passwords, sessions, sign-in, one-time links, and of who may try, and when.

Owns every decision about identity and nothing else: no Flask, no SQL, no environment, no clock.
`now` is an argument, in whole seconds since the epoch (UTC); a refusal is a value; stores are ports
that `storage/` fills.
"""
