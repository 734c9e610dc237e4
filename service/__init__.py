"""Vestibule, the login service in front of everything a team runs.

    login/     WHO ARE YOU: pure rules for accounts, passwords, sessions, one-time links
    access/    MAY YOU PASS: pure rules for where a browser may go
    storage/   ROWS: the only SQL
    web/       HTTP: pages, cookies, limits, headers, metrics
    cli/       the operator's commands: they parse and print, rules decide
    services.py, settings/    what pages and commands are handed, and what an operator chose
    state_dir.py    files and directories of our own: made for their owner alone, refused when others have a way in
    machine.py, healthcheck.py, serve.py    this machine's processors, `vestibule ping`, becoming gunicorn
    ram_disk.py    the directory on the RAM disk where workers count
    listeners.py, text_files.py    the sockets of nginx, text that people write
    parts.py   parts as the settings choose them
    app.py     the one page that wires everything

Arrows point inward, and a test holds them:
app -> parts -> (web | storage | cli, never each other) -> (services | settings) -> access -> login.
"""

RELEASE = "0.1.0"
