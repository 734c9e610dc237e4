"""TELEMETRY: what the service tells its operators: counters and gauges, the ops pages, events, the log.

Flask stands behind `reporting`, `ops_pages` and `self_checks` alone: whatever answers without Flask uses the others.
"""
