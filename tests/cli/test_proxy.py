"""`vestibule proxy render`: nginx's files follow from the settings."""

import json
import os
import re
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from service.app import render_nginx_files, write_nginx_files
from service.cli import Operator
from service.cli.proxy import proxy
from service.edge.nginx import NGINX_CONF, rendered
from service.settings import Settings, load
from tests.settings import nobody

SITE = {"static/0123abcd/style.css": b"body{}", "errors/404.html": b"<p>"}
STATE = Path("/srv/state")


def _settings(**chosen: str) -> Settings:
    return load({"VESTIBULE_STATE_DIR": str(STATE)} | {f"VESTIBULE_{name}": value for name, value in chosen.items()})


def _text(name: str, **chosen: str) -> str:
    return rendered(_settings(**chosen), directory=Path("/srv/nginx"), site=SITE)[name].decode()


def test_nginx_conf_is_copied_as_it_is() -> None:
    """What an operator reads at the top level is what runs."""
    assert rendered(_settings(), directory=STATE, site={})["nginx.conf"] == NGINX_CONF.read_bytes()


def test_every_file_that_nginx_conf_includes_is_written() -> None:
    """No include without its file; those of tls/ are the operator's, and apps/ has one for each app."""
    included = set(re.findall(r"^ *include (\S+);", NGINX_CONF.read_text(), re.MULTILINE))

    written = {name for name in rendered(_settings(), directory=STATE, site={}) if name.endswith(".conf")}

    assert {name for name in included if not name.startswith(("tls/", "apps/"))} == written - {"nginx.conf"}


def test_no_proxy_is_trusted_by_default() -> None:
    """Without the setting, no address of a client's own making counts."""
    assert "set_real_ip_from" not in _text("trusted.conf")


def test_trusted_proxies_are_named_one_by_one() -> None:
    """Each network becomes a directive."""
    assert _text("trusted.conf", TRUSTED_PROXIES="10.0.0.0/8 2001:db8::/32").splitlines() == [
        "set_real_ip_from 10.0.0.0/8;",
        "set_real_ip_from 2001:db8::/32;",
    ]


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("0.0.0.0:80", ["listen 0.0.0.0:80;"]),
        ("127.0.0.1:8080", ["listen 127.0.0.1:8080;"]),
        ("192.0.2.1:80,[2001:db8::1]:80", ["listen 192.0.2.1:80;", "listen [2001:db8::1]:80;"]),
        ("[::]:8080", ["listen [::]:8080 ipv6only=off;"]),
    ],
)
def test_both_listeners_are_where_the_settings_say(
    listen: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address is taken as it is, several are, and `[::]` takes both families; the ops listener alike."""
    monkeypatch.setattr("service.listeners._is_usable", lambda _: True)

    assert _text("listen.conf", SERVER__LISTEN=listen).splitlines() == expected
    assert _text("ops.conf", OPS_LISTEN=listen, SERVER__LISTEN="127.0.0.9:9").splitlines() == expected


def test_the_public_address_decides_on_https() -> None:
    """The scheme of the settings, not of a request, is what HSTS follows."""
    assert "$public_scheme { default https; }" in _text("site.conf", PUBLIC_URL="https://login.example.org")
    assert "$public_scheme { default http; }" in _text("site.conf")


def test_the_upstream_is_the_socket_of_the_settings() -> None:
    """nginx and gunicorn are told of the same socket."""
    assert 'server "unix:/srv/state/run/gunicorn.sock" max_fails=0;' in _text("upstream.conf")


@pytest.mark.parametrize("directory", ['/srv/a"b', "/srv/a$b", "/srv/a\\b", "/srv/a\nb"])
def test_a_path_that_nginx_cannot_read_is_refused(directory: str) -> None:
    """Nothing in a path ends a word or starts a variable of nginx's configuration."""
    with pytest.raises(ValueError, match="nginx cannot read"):
        rendered(_settings(), directory=Path(directory), site={})


@pytest.mark.parametrize("directory", ["/srv/a b", "/srv/a;b", "/srv/{a}", "/srv/a#b", "/srv/a'b", "/srv/ä"])
def test_an_odd_path_is_one_word(directory: str) -> None:
    """Blanks, semicolons and braces in a path are part of it."""
    files = rendered(_settings(), directory=Path(directory), site={})

    assert f'root "{directory}";'.encode() in files["site.conf"]


def test_render_says_what_it_wrote(tmp_path: Path) -> None:
    """The command writes the files and says where; with --json it lists them."""
    operator = Operator(_never, _never, render_nginx_files, write_nginx_files)

    result = CliRunner().invoke(proxy, ["render", "--output", str(tmp_path), "--json"], obj=operator)

    said = json.loads(result.stdout)
    assert said["directory"] == str(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(said["files"])


def test_render_says_when_it_cannot_write(tmp_path: Path) -> None:
    """A directory that is none ends the command with 1 and the reason."""
    (tmp_path / "file").touch()
    operator = Operator(_never, _never, render_nginx_files, write_nginx_files)

    result = CliRunner().invoke(proxy, ["render", "--output", str(tmp_path / "file" / "nginx")], obj=operator)

    assert result.exit_code == 1
    assert "were not written" in result.stderr


@nobody.root_only
def test_root_follows_no_link_of_the_directorys_owner(tmp_path: Path) -> None:
    """Root writes with the rights of the directory's owner: a planted link leads to no file or directory of root's."""
    foreign, elsewhere, directory = (tmp_path / name for name in ("foreign", "elsewhere", "nginx"))
    foreign.write_text("root's")
    for each in (elsewhere, directory):
        each.mkdir()
    (directory / "site.conf").symlink_to(foreign)
    (directory / "errors").symlink_to(elsewhere)
    nobody.give(directory)
    operator = Operator(_never, _never, render_nginx_files, write_nginx_files)
    before = Path.cwd()

    results = [CliRunner().invoke(proxy, ["render", "--output", str(directory)], obj=operator)]
    (directory / "site.conf").unlink()
    results.append(CliRunner().invoke(proxy, ["render", "--output", str(directory)], obj=operator))
    directory.rename(tmp_path / "before")
    directory.symlink_to(elsewhere)
    os.chown(directory, nobody.NOBODY, nobody.NOBODY, follow_symlinks=False)
    results.append(CliRunner().invoke(proxy, ["render", "--output", str(directory)], obj=operator))

    assert [result.exit_code for result in results] == [1, 1, 1]
    assert foreign.read_text() == "root's"
    assert [*elsewhere.iterdir()] == []
    assert (os.geteuid(), os.getegid(), Path.cwd()) == (0, 0, before)


@nobody.root_only
def test_root_renders_for_the_owner_of_the_directory(tmp_path: Path) -> None:
    """What root makes belongs to the owner, who renders again; also below a directory that the owner may not enter."""
    (tmp_path / "state").mkdir()
    nobody.give(tmp_path / "state")
    tmp_path.chmod(0o700)
    directory = tmp_path / "state" / "nginx"

    write_nginx_files(directory, render_nginx_files(_settings(), directory))

    owners = {path.stat().st_uid for path in (directory, *directory.rglob("*"))}
    assert (owners, (directory / "nginx.conf").exists()) == ({nobody.user()}, True)


def _never(*_: object) -> NoReturn:
    raise AssertionError("rendering needs no store")
