"""TELEMETRY: what the service tells its operators: counters and gauges, the ops pages, events, the log.

Only `reporting`, `ops_pages` and `self_checks` need Flask: code that answers without Flask uses the other files.
"""
