"""What the documents name exists: files and folders, settings, commands and records of decisions."""

import re
from pathlib import Path
from typing import Final

import pytest

from service.settings import CATALOGUE, app_files, load
from tests.house_rules.project import DOCUMENTS, read
from tests.rig.parts import ROOT

LINK: Final = re.compile(r"\]\((?!https?:)([^)#\s]+)|(?:src|srcset)=\"([^\"]+)\"")
# In backticks: a folder of the project's, or a file by its ending. Addresses and state files are neither.
PATH: Final = re.compile(
    r"`((?:[\w.-]+/)*[\w-]+\.(?:py|conf|css|html|md|yaml|yml)|(?:service|tests|deploy|docs|\.github)/[\w./-]*"
    r"|(?:access|cli|edge|hashing|login|settings|storage|web)/[\w./-]*)`"
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """A relative link or picture in a document is a file or a folder of the project."""
    targets = [one or other for one, other in LINK.findall(read(document))]

    folder = (ROOT / document).parent
    assert [target for target in targets if not (folder / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_exist(document: str) -> None:
    """A path that a document names is in the project, as seen from its top, from `service/` or from the document."""
    starts: list[Path] = [ROOT, ROOT / "service", (ROOT / document).parent]

    named = PATH.findall(read(document))
    assert [path for path in named if not any((start / path).exists() for start in starts)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_exist(document: str) -> None:
    """A setting that a document names is one that the service reads."""
    known = {setting.environment for setting in CATALOGUE.values()}
    others = {"VESTIBULE_CONFIG", "VESTIBULE_PORT", "VESTIBULE_SERVICE_HOST"}  # names the file; what Kubernetes injects

    named = {name.removesuffix("_FILE") for name in re.findall(r"\bVESTIBULE_[A-Z_]+[A-Z]\b", read(document))}
    assert named - known - others == set()


def test_records_are_numbered_once_and_listed() -> None:
    """Each record of a decision has a number of its own, without a gap, and stands in the list of its folder."""
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))

    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]
    assert LINK.findall(read("docs/decisions/README.md")) == [(name, "") for name in names]


def test_the_apps_of_the_readme_are_in_order(tmp_path: Path) -> None:
    """Its five lines are an app of `make run`, and with an https address one of its real domain."""
    five, real = re.findall(r"```toml\n(.*?)```", read("README.md"), re.DOTALL)
    file = tmp_path / "apps.d" / "hello.toml"
    file.parent.mkdir()
    file.write_text(five)
    (hello,) = app_files.apps(load({"VESTIBULE_ACCESS__APPS_DIR": str(file.parent)}))

    (tmp_path / "vestibule.toml").write_text(real)
    file.write_text(five.replace(hello.address.origin, "https://wiki.example.org"))
    (wiki,) = app_files.apps(load({"VESTIBULE_CONFIG": str(tmp_path / "vestibule.toml")}))

    assert (len(five.splitlines()), hello.title) == (5, "Hello")
    assert wiki.rules == hello.rules
