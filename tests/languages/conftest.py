"""Programs in other languages, built once."""

import pytest

from support import languages


def pytest_collection_modifyitems(config, items):
    """Marks what runs for each language, and leaves out what is for another one than the one that is asked for."""
    chosen = config.getoption("--language")
    for item in items:
        if "language" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.language)
    kept = []
    for item in items:
        if chosen in (None, getattr(item.module, "ONLY", chosen)):
            kept.append(item)
        else:
            config.hook.pytest_deselected(items=[item])
    items[:] = kept


@pytest.fixture(scope="session")
def language(request):
    """A language whose program is built."""
    found = languages.LANGUAGES[request.param]
    for command in found.build:
        done = languages.run(command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return found
