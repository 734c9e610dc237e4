"""Who are you: the rules of accounts, passwords, sessions, sign-in, one-time links and attempts.

No Flask, no SQL, no environment, no clock: `now` is an argument, in whole seconds since the epoch (UTC). A refusal is a
value. Stores are ports that `storage/` implements.
"""
