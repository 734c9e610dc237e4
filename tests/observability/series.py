"""The series of a healthy installation, for promtool: one replica, the edge with an app, the probe; no one is awake."""

from typing import Final

SERVICE: Final = 'job="vestibule",instance="a"'
OTHER_REPLICA: Final = 'job="vestibule",instance="b"'
EDGE: Final = 'job="vestibule-edge",instance="a"'
PROBE: Final = 'job="vestibule-probe",instance="https://auth.example.com/"'

UP: Final = f"up{{{SERVICE}}}"
UP_OTHER: Final = f"up{{{OTHER_REPLICA}}}"
UP_EDGE: Final = f"up{{{EDGE}}}"
UP_PROBE: Final = f"up{{{PROBE}}}"
PAGE: Final = f"probe_success{{{PROBE}}}"
CERTIFICATE: Final = f"probe_ssl_earliest_cert_expiry{{{PROBE}}}"
DATABASE: Final = f"vestibule_database_up{{{SERVICE}}}"
PENDING: Final = f"vestibule_migrations_pending{{{SERVICE}}}"
PENDING_OTHER: Final = f"vestibule_migrations_pending{{{OTHER_REPLICA}}}"
BACKUP: Final = f"vestibule_backup_last_success_timestamp_seconds{{{SERVICE}}}"
DEGRADED: Final = f"vestibule_counter_store_degraded{{{SERVICE}}}"
PROXY: Final = f"vestibule_untrusted_proxy_suspected{{{SERVICE}}}"
SHED: Final = f"vestibule_hash_shed_total{{{SERVICE}}}"
ANSWERED: Final = f'vestibule_edge_requests_total{{{EDGE},app="vestibule",method="GET",status="200"}}'
REFUSED: Final = f'vestibule_edge_requests_total{{{EDGE},app="vestibule",method="POST",status="401"}}'
BROKEN: Final = f'vestibule_edge_requests_total{{{EDGE},app="vestibule",method="GET",status="502"}}'
UNAVAILABLE: Final = f'vestibule_edge_requests_total{{{EDGE},app="vestibule",method="POST",status="503"}}'
EDGE_SHED: Final = f'vestibule_edge_limited_total{{{EDGE},limit="hashing_gate"}}'
TIMED: Final = f'vestibule_edge_request_duration_seconds_count{{{EDGE},app="vestibule"}}'
IN_TIME: Final = f'vestibule_edge_request_duration_seconds_bucket{{{EDGE},app="vestibule",le="1"}}'
DOOR_UP: Final = f"vestibule_edge_door_up{{{EDGE}}}"
OUTDATED: Final = f"vestibule_door_edge_outdated{{{SERVICE}}}"
READABLE: Final = f"vestibule_config_last_reload_successful{{{SERVICE}}}"
PASSED: Final = f'vestibule_edge_door_checks_total{{{EDGE},app="wiki",outcome="cached"}}'
FAILED: Final = f'vestibule_edge_door_checks_total{{{EDGE},app="wiki",outcome="failed"}}'
CHECKED: Final = f"vestibule_edge_door_duration_seconds_count{{{EDGE}}}"
CHECKED_IN_TIME: Final = f'vestibule_edge_door_duration_seconds_bucket{{{EDGE},le="0.25"}}'


def attempts(outcome: str, device: str) -> str:
    """Return the series of the sign-ins with an outcome."""
    return f'vestibule_sign_in_attempts_total{{{SERVICE},method="password",outcome="{outcome}",device="{device}"}}'


def throttled(scope: str) -> str:
    """Return the series of the requests that a limit refused."""
    return f'vestibule_throttled_total{{{SERVICE},scope="{scope}"}}'


# The probe asks six times a minute, and so does a page that is open; no person is awake.
HEALTHY: Final = {
    **dict.fromkeys((UP, UP_EDGE, UP_PROBE, PAGE, DATABASE, DOOR_UP, READABLE), "1x{minutes}"),
    **dict.fromkeys(
        (PENDING, BACKUP, DEGRADED, PROXY, SHED, EDGE_SHED, FAILED, OUTDATED, throttled("network")), "0x{minutes}"
    ),
    **dict.fromkeys((ANSWERED, TIMED, IN_TIME, PASSED, CHECKED, CHECKED_IN_TIME), "0+6x{minutes}"),
    CERTIFICATE: "7776000x{minutes}",
    attempts("granted", "known"): "0x{minutes}",
    attempts("wrong_password", "known"): "0x{minutes}",
    attempts("wrong_password", "new"): "0x{minutes}",
}
