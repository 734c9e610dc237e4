"""Vestibule, the login service in front of everything a team runs.

    login/       WHO ARE YOU: pure rules of accounts, passwords, attempts, sessions, links, and what an operator does
    access/      MAY YOU PASS: pure rules of where a browser may go, blocked networks, and who may use which app
    hashing/     the gate before argon2: a bounded, fair pool of threads
    storage/     ROWS: the only SQL
    web/         HTTP: pages, who is let near them, cookies, telemetry, and how all of it looks
      door/      whether a request for an app may pass, for nginx and other proxies: beside Flask, without a framework
    edge/        the files that nginx reads, with one for each app, and what other proxies need
    cli/         the operator's commands: they parse and print, rules decide
      doctor/    tests the chain of proxies from outside, and names the line to change
    settings/    what an operator chose, read once
    services/    the bundles that pages and commands are handed
    app.py       the one page that wires everything; what commands do to the whole database, upkeep.py wires

Beside them: `vestibule ping` (healthcheck.py), counting nginx's requests (edge_metrics/), becoming gunicorn (serve.py),
its worker (worker.py) and its end (drain.py), nginx's sockets (listeners.py), what is read again each second
(refresh.py), text that people write (text_files.py), files and directories of the service's own (state_dir.py,
metrics_dir.py), which may lie below a mount (mounts.py), and root at work in them (as_owner.py).

Arrows point inward, and a test holds them:
app -> (web | storage | edge | cli, never each other) -> (services | settings) -> access -> login -> hashing.
"""

RELEASE = "0.1.0"
