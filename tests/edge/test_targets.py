"""Request targets: what cannot be read in exactly one way is refused, and ops paths do not exist for the public."""

import pytest

from tests.rig.asking import answers
from tests.rig.servers import Servers


def _request(target: bytes, host: bytes, *more: bytes) -> bytes:
    return b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *more, b"", b""])


@pytest.mark.parametrize(
    "target",
    [
        b"/\xff",
        "/ü".encode(),
        b"/a\x7fb",
        b"/a\x01b",
        b"/a b",
        b"",
        b"*",
        b"nope",
        b"localhost:8080",
        b"/%00",
        b"/%zz",
        b"/..",
        b"/../../etc/passwd",
        b"http://",
        b"http://user@localhost/",
        b"ftp:/x",
    ],
)
def test_an_odd_target_gets_one_400_of_ours_and_the_connection_closes(echo: Servers, target: bytes) -> None:
    """A target that two readers could read in two ways gets a single 400 with our page."""
    said = echo.raw(_request(target, b"localhost"))

    assert answers(said) == [400]
    assert b"That request could not be read" in said
    assert b"gunicorn" not in said


@pytest.mark.parametrize(
    "host",
    [b"evil.test", b"localhost.evil.test", b"localhost:99999x", b"localhost:", b"a@localhost"],
)
def test_an_absolute_target_must_name_the_host_of_the_host_header(echo: Servers, host: bytes) -> None:
    """An absolute target for another host than Host says gets 400, so no program has to choose between the two."""
    assert answers(echo.raw(_request(b"http://localhost/", host))) == [400]


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST", b"localhost:1234"])
def test_an_absolute_target_for_the_same_host_is_served(echo: Servers, host: bytes) -> None:
    """An absolute target that agrees with Host is an ordinary request; the service sees its path alone."""
    said = echo.raw(_request(b"http://localhost:1234/here?x=1", host))

    assert answers(said) == [200]
    assert b'"RAW_URI": "/here?x=1"' in said
    assert b'"HTTP_HOST": "' + host + b'"' in said


@pytest.mark.parametrize("host", [b"evil.test", b"127.0.0.1", b"localhost.", b"[::1]:80", b"a@b"])
def test_a_foreign_host_sees_no_page(service: Servers, host: bytes) -> None:
    """A request for another name gets 421, no cookie, and nothing that repeats the name (HD-01)."""
    said = service.raw(_request(b"/", host))

    assert answers(said) == [421]
    assert b"set-cookie" not in said.lower()
    assert host not in said


@pytest.mark.parametrize("host", [b"", b"evil.test/x", b"evil test", b"evil\x00test", b"evil.test:http"])
def test_a_host_that_is_none_gets_400(service: Servers, host: bytes) -> None:
    """A Host header that cannot be one gets 400 before anything behind nginx sees it."""
    assert answers(service.raw(_request(b"/", host))) == [400]


@pytest.mark.parametrize(
    "target",
    [
        b"/metrics",
        b"/healthz",
        b"/readyz",
        b"/metrics/",
        b"//metrics",
        b"///metrics//",
        b"/%6detrics",
        b"/%6D%65trics",
        b"/./metrics",
        b"/x/../metrics",
        b"/x/%2e%2e/metrics",
        b"/%2fmetrics",
        b"/metrics%2f",
        b"/metrics?name[]=x",
        b"/metrics;x",
        b"/metrics/x",
        b"/metrics%20",
        b"/metrics%00",
        b"/METRICS",
        b"/metrics#x",
        b"/static/../metrics",
        b"/errors/../metrics",
    ],
)
def test_the_public_has_no_ops_paths(service: Servers, target: bytes) -> None:
    """Metrics and health answer 404 on the public listener, however they are spelled (OB-01)."""
    forged = (b"X-Forwarded-For: 127.0.0.1", b"X-Original-URL: /metrics")
    said = service.raw(_request(target, f"localhost:{service.port}".encode(), *forged))

    assert answers(said) in ([404], [400])
    assert b"python_info" not in said
    assert b"ok\n" not in said


def test_the_public_has_no_ops_paths_by_absolute_target(service: Servers) -> None:
    """An absolute target reaches no ops path either."""
    target = f"http://localhost:{service.port}/metrics".encode()

    assert answers(service.raw(_request(target, f"localhost:{service.port}".encode()))) == [404]


@pytest.mark.parametrize(
    "target",
    [
        b"/static../service/app.py",
        b"/static/../nginx.conf",
        b"/static/%2e%2e/nginx.conf",
        b"/static/..%2fnginx.conf",
        b"/static/..;/nginx.conf",
        b"/static/..\\nginx.conf",
        b"//static/../nginx.conf",
        b"/static",
        b"/static/",
        b"/static//",
        b"/nginx.conf",
        b"/listen.conf",
        b"/errors/404.html",
        b"/errors/",
        b"/errors",
        b"/account/x.css",
        b"/account;x.js",
        b"/account%2f.css",
        b"/.git/config",
    ],
)
def test_there_are_no_files_but_the_assets(service: Servers, target: bytes) -> None:
    """Nothing outside of static/<version>/ is a file, whatever leads there (BH-09, BH-13), and no answer is kept."""
    said = service.raw(_request(target, f"localhost:{service.port}".encode()))

    assert answers(said) == [404]
    assert b"\r\nCache-Control: no-store\r\n" in said
    assert b"worker_processes" not in said


def test_the_folder_of_a_version_is_nothing_and_redirects_nowhere(service: Servers) -> None:
    """A folder among the assets answers 404, not a redirect with a Host in it."""
    (version,) = (path.name for path in (service.nginx_dir / "static").iterdir())

    assert service.get(f"/static/{version}").status == 404
    assert service.get(f"/static/{version}/").status == 404


@pytest.mark.parametrize(
    "target",
    ["/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/debug", "/server-status", "/nginx_status", "/.env",
     "/admin", "/api", "/swagger.json", "/.well-known/openid-configuration", "/graphql", "/actuator/health"],
)  # fmt: skip
def test_there_is_no_door_for_developers(service: Servers, target: str) -> None:
    """No debugger, status page, file of secrets or admin surface answers to the public (OB-08, OB-12)."""
    answer = service.get(target)

    assert answer.status == (200 if target.startswith("/?") else 404)
    assert b"debugger" not in answer.body.lower()


@pytest.mark.parametrize("target", [b"http://localhost?x=1", b"http://localhost", b"http://localhost/?x=1"])
def test_an_absolute_target_without_a_path_is_the_first_page(echo: Servers, target: bytes) -> None:
    """A target that leaves out the slash reaches the service with one: gunicorn has nothing to refuse (HD-03)."""
    said = echo.raw(_request(target, b"localhost"))

    assert answers(said) == [200]
    assert b'"PATH_INFO": "/"' in said
