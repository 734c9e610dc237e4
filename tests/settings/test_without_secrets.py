"""The file of settings as a backup holds it: everything but secrets, or nothing."""

import tomllib

import pytest

from service.settings.without_secrets import without_secrets

KEPT = '# Ours.\nbrand.name = "Staff" # not secret_key\nsecret_key_file = "/run/secrets/key"\n[sessions]\nidle = "8h"\n'


@pytest.mark.parametrize(
    "line",
    [
        'secret_key = "s3cret"',
        "database_url = 'postgresql://v:s3cret@db/v' # ours",
        '  "redis_url"="redis://:s3cret@r/0"',
        '#redis_url = "redis://:s3cret@r/0"',
        'secret_key = """s3cret"""',
    ],
)
def test_a_secret_is_cut_with_its_line(line: str) -> None:
    """However it is written, also commented out; everything else stays as it is, comments included."""
    cut = without_secrets(f"{line}\n{KEPT}")

    assert cut is not None
    assert "s3cret" not in cut
    assert cut.endswith(KEPT)
    assert tomllib.loads(cut) == tomllib.loads(KEPT)


@pytest.mark.parametrize(
    "text",
    [
        'secret_key = """\ns3cret\n"""\n',
        'secret_key = """\na = 1\ns3cret"""\n',
        'public_url = """\nsecret_key = "s3cret"\n"""\n',
    ],
)
def test_what_cannot_be_cut_by_lines_is_left_out(text: str) -> None:
    """A secret of several lines, or a line that is part of another value: there is no text to copy."""
    assert without_secrets(text + KEPT) is None
