"""The passwords of the people in tests."""

from typing import Final

PASSWORD: Final = "seven otters paint a lighthouse"
OTHER_PASSWORD: Final = "eleven kettles argue about rain"
