"""What settings do with values that the code gives, without any source."""

from typing import Any

import pytest

from service.settings import Settings
from service.settings.section import UnfitValues
from service.settings.sections import Sessions


def _made(tables: dict[str, Any]) -> Settings:
    return Settings(**tables)


def test_values_given_in_code_are_read() -> None:
    """There are no unchecked settings: the kind of each reads what it is given, in a section or a table."""
    by_table = _made({"public_url": "https://Login.Example.org/", "sessions": {"idle": "15m"}})

    assert by_table == Settings(public_url="https://login.example.org", sessions=Sessions(idle=900))
    assert (by_table.public_url, by_table.sessions.idle) == ("https://login.example.org", 900)
    assert by_table.sessions.absolute == Sessions().absolute


def test_all_unfit_values_are_said_at_once() -> None:
    """At the top and in sections, in the order of the manual; what was given is not repeated."""
    with pytest.raises(UnfitValues) as refused:
        _made({"server": {"workers": 0}, "sessions": {"idle": "CANARY", "absolute": 1}, "public_url": "CANARY"})

    assert [*refused.value.reasons] == ["public_url", "sessions.idle", "sessions.absolute", "server.workers"]
    assert "sessions.idle must be a duration from 2m to 400d" in str(refused.value)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("given", [{"colour": "red"}, {"sessions": {"colour": "red"}}])
def test_a_name_that_no_setting_has_is_refused(given: dict[str, Any]) -> None:
    """At the top and in a section."""
    with pytest.raises(TypeError, match="colour"):
        _made(given)
