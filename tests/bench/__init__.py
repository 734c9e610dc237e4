"""Benchmarks: `make bench`, or `python -m tests.bench [NAME…]` for some of its rows (`calm`: all that begin so).

Real servers under the unprivileged user; every figure is the median of several runs, taken in turn with what it is
compared with. How each row is measured stands at the top of the file of its name; docs/benchmarks.md explains all.

    rows, plot        what comes out: a table, var/bench.json, var/bench.svg
    flood_plot        the flood as a picture: var/flood.svg
    machine           what was measured on
    served, people    the servers, and who signs in
    apps              an app behind the door, in whose place nginx answers
    load, bare        the load generator, and argon2-cffi alone
    open_loop         requests by schedule; visitors, who come back when they are told to
    flood, ungated    300 wrong passwords a second; the service without its gate
"""
