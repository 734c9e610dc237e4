"""Benchmarks: `make bench`, or `python -m tests.bench [NAME…]` for some of its rows.

Real servers under the unprivileged user; every figure is the median of several runs, taken in turn with what it is
compared with. How each row is measured stands at the top of the file of its name; docs/benchmarks.md explains all.

    rows, plot        what comes out: a table, var/bench.json, var/bench.svg
    machine           what was measured on
    served, people    the servers, and who signs in
    load, bare        the load generator, and argon2-cffi alone
"""
