"""Programs in other languages, built once."""

import pytest

from support import languages


def pytest_collection_modifyitems(items):
    for item in items:
        if "language" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.language)


@pytest.fixture(scope="session")
def language(request):
    """A language whose program is built."""
    found = languages.LANGUAGES[request.param]
    for command in found.build:
        done = languages.run(command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return found
