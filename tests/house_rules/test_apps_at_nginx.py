"""An app's server at nginx: nothing that nginx.conf says for the login's own pages holds for an app unnoticed."""

import re
from typing import Final

from tests.house_rules.project import lines

# Of the http level, for apps too, and why.
FOR_APPS_TOO: Final = {
    "include": "the small files beside nginx.conf, and apps themselves",
    "map_hash_bucket_size": "sizes of nginx's own tables",
    "server_names_hash_bucket_size": "sizes of nginx's own tables",
    "variables_hash_bucket_size": "sizes of nginx's own tables",
    "variables_hash_max_size": "sizes of nginx's own tables",
    "server_tokens": "error pages of nginx's name no version",
    "default_type": "for files of nginx's: an app's answer keeps its own type, or has none",
    "charset_types": "for files of nginx's: `charset off` is said anew",
    "sendfile": "how files are sent",
    "client_body_temp_path": "a place for what is never written",
    "proxy_temp_path": "a place for what is never written",
    "fastcgi_temp_path": "of no use to apps",
    "uwsgi_temp_path": "of no use to apps",
    "scgi_temp_path": "of no use to apps",
    "real_ip_header": "the client's address is the same for all",
    "real_ip_recursive": "the client's address is the same for all",
    "ssl_protocols": "TLS is the same for all",
    "ssl_ciphers": "TLS is the same for all",
    "ssl_prefer_server_ciphers": "TLS is the same for all",
    "ssl_session_cache": "TLS is the same for all",
    "ssl_session_timeout": "TLS is the same for all",
    "ssl_session_tickets": "TLS is the same for all",
    "client_header_buffer_size": "the first piece of a head; larger ones are said anew",
    "client_header_timeout": "for the whole head of a request, as everywhere",
    "reset_timedout_connection": "frees what a client that is gone left behind",
    "limit_conn_zone": "counts alone; apps have a limit and a zone of their own",
    "limit_conn_status": "429 is a status for clients of apps, too",
    "limit_req_status": "429 is a status for clients of apps, too",
    "proxy_hide_header": "the mark of the hashing gate is the service's",
    "log_format": "one format for all, with the app's name",
    "access_log": "one log for all, without queries, with the app's name",
    "error_log": "nothing about single requests is logged twice",
}


_OURS: Final = ("app", "questions", "demo", "door", "other_proxies")
_OF_ANOTHER_NGINX: Final = ("snippet_http", "snippet_server", "snippet_question")
_TEMPLATES: Final = tuple(f"service/edge/{name}.conf" for name in (*_OURS, *_OF_ANOTHER_NGINX))


def directives(path: str, block: str) -> set[str]:
    """Return the names of the directives of a file's block, without those of blocks in it."""
    inside = "\n".join(lines(path)).partition(f"{block} {{\n")[2]
    return set(re.findall(r"^ {4}(\w+)\b[^{\n]*;", inside, re.MULTILINE))


def test_every_directive_of_the_http_level_is_said_anew_for_apps() -> None:
    """Each one that an app's server would inherit stands in app.conf, or above with a reason."""
    inherited = directives("nginx.conf", "http")
    anew = directives("service/edge/app.conf", "server")

    assert len(inherited) > 40
    assert inherited - anew - {"proxy_set_header"} == set(FOR_APPS_TOO)
    assert anew & FOR_APPS_TOO.keys() == set()


def test_each_location_that_asks_another_program_says_which_headers_it_sends() -> None:
    """None relies on those of the http level, of which it would inherit all or none."""
    text = "\n".join([*lines("service/edge/app.conf"), *lines("service/edge/questions.conf")])
    locations = re.findall(r"^ {0,4}location (.*?) \{\n(.*?)^ {0,4}\}", text, re.DOTALL | re.MULTILINE)
    asking = {name: body for name, body in locations if "proxy_pass " in body}

    assert len(asking) == 3
    for name, body in asking.items():
        sent = set(re.findall(r"proxy_set_header (\S+)", body))
        assert {"Host", "Connection", "Cookie", "Authorization", "X-Forwarded-For", "X-Request-ID"} <= sent, name


def test_nothing_reads_by_name_what_nginx_cannot() -> None:
    """No cookie is read by name, an `if` returns or sets alone, and no client's X-Forwarded-For is added to."""
    for path in _TEMPLATES:
        text = "\n".join(lines(path))

        assert "$cookie_" not in text
        assert "proxy_add_x_forwarded_for" not in text
        assert text.count("if (") == len(re.findall(r"if \(.+\) \{ (?:return \d+|set \$\w+ \S+); \}", text))


def test_nginx_waits_for_the_service_for_three_seconds_at_most() -> None:
    """The times after which it gives a question up, in each place where it asks one."""
    for path, places in (("service/edge/questions.conf", 2), ("service/edge/other_proxies.conf", 1)):
        times = re.findall(r"proxy_(?:connect|read)_timeout (\d+)s;", "\n".join(lines(path)))

        assert [int(one) + int(other) for one, other in zip(times[::2], times[1::2], strict=True)] == [3] * places
