"""The arrows between the folders of `service/`."""

from importlinter.cli import lint_imports

from tests.rig.parts import ROOT


def test_arrows() -> None:
    """No module imports what the map in service/__init__.py does not let it see."""
    broken = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert broken == 0
