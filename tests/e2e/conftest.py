"""Fixtures of the end-to-end tests, which all start Pulumi."""

import contextlib
import pathlib

import pytest

from support.planton import planton
from support.worlds import Worlds

__all__ = ["planton"]

FOLDER = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Marks what is below this folder."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.pulumi)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory):
    """What the tests of this worker start from, applied once."""
    made = Worlds(tmp_path_factory.mktemp("worlds"))
    yield made
    made.close()


@pytest.fixture
def applied(worlds):
    """Returns the user who has applied the given manifests, in their order, from the file `support.worlds.FILE`."""
    with contextlib.ExitStack() as stack:
        yield lambda *manifests, **more: stack.enter_context(worlds.applied(*manifests, **more))
