"""What the tests of this folder share."""

import pytest

from tests.deploy.kustomize import built_example


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The YAML of the example, with secrets of a kind that works."""
    return built_example(tmp_path_factory.getbasetemp() / "example")
