"""The manual of the settings says what the settings say."""

from service.settings import CATALOGUE
from service.web.look.theme import DEFAULT_ACCENT
from tests.house_rules.project import read
from tests.house_rules.settings_manual import manual


def test_the_manual_is_made_from_the_settings() -> None:
    """`python -m tests.house_rules.settings_manual > docs/settings.md` was run after the last change of a setting."""
    assert manual() == read("docs/settings.md")


def test_every_setting_is_in_the_manual() -> None:
    """Both names of each setting stand in it, with a sentence and with what holds when nothing is set."""
    text = manual()

    for setting in CATALOGUE.values():
        assert f"| `{setting.name}`<br>`{setting.environment}` |" in text
        assert setting.description.endswith(".")
        assert setting.default is not None or setting.unset


def test_every_secret_can_come_from_a_file() -> None:
    """The manual says so for each secret and for each address that may hold a password."""
    text = manual()

    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert f"`VESTIBULE_{name}_FILE`, the path of a file" in text


def test_the_accent_colour_has_one_default() -> None:
    """The style sheet is drawn for the colour that the settings start with."""
    assert CATALOGUE["brand.accent"].default == DEFAULT_ACCENT
