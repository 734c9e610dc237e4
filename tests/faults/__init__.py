"""`make faults`: what the service does when a part of it fails, tried on the real parts under traffic.

Each experiment sends open-loop traffic (20 % sign-ins, 80 % session checks, at a constant rate), writes every change
that the service acknowledged into a ledger, breaks something, waits until the traffic is as it was before, and compares
the service with the ledger. Nothing that was acknowledged may be lost; nothing that has ended may let a request in.
"""
