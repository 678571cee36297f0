"""Fixtures that build the programs in other languages, once for each language."""

import pytest

from support import languages


def pytest_collection_modifyitems(config, items):
    """Marks tests that run for each language, and deselects tests of other languages than `--language`."""
    selected = config.getoption("--language")
    for item in items:
        if "language" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.language)
    remaining = []
    for item in items:
        if selected in (None, getattr(item.module, "ONLY", selected)):
            remaining.append(item)
        else:
            config.hook.pytest_deselected(items=[item])
    items[:] = remaining


@pytest.fixture(scope="session")
def language(request):
    """Builds the program of a language, and returns the language."""
    chosen = languages.LANGUAGES[request.param]
    for command in chosen.build:
        completed = languages.run(command)
        assert completed.returncode == 0, f"{' '.join(command)}\n{completed.stdout}{completed.stderr}"
    return chosen
