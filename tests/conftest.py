"""Fixtures of several folders of tests."""

import gc
import signal

import hypothesis
import pytest

from support import languages, postgres
from support.printable import pytest_report_to_serializable, pytest_warning_recorded

__all__ = ["pytest_report_to_serializable", "pytest_warning_recorded"]

# Who starts the tests in the background lets them and all that they start ignore Ctrl-C, which some tests are about.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Hypothesis fails an example that takes 200 ms. On a busy machine any example can, and the same example then passes: a flaky test.
# The same examples every time: a change is blamed only for what it breaks. `--hypothesis-profile random` looks for new ones.
_CALM = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("random", **_CALM)
hypothesis.settings.register_profile("planton", derandomize=True, **_CALM)
hypothesis.settings.load_profile("planton")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collects without the garbage collector, which would look at 7,000 tests again and again: a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_addoption(parser):
    parser.addoption("--language", choices=sorted(languages.LANGUAGES), help="run tests/languages for this language alone")


def pytest_generate_tests(metafunc):
    """Runs tests of programs in other languages for those that are on this machine, or for the one that is asked for."""
    if "language" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--language")
        metafunc.parametrize("language", [chosen] if chosen else languages.installed(), scope="session", indirect=True)


#: Modules that start servers as processes of their own, or thousands of requests.
SLOW = {
    *("test_guide", "test_process", "test_schemathesis", "test_server_backup", "test_server_start", "test_server_tokens"),
    "test_workers",
}


#: Parameters of tests that need PostgreSQL.
POSTGRESQL = {"postgresql", "postgresql-grpc"}


def pytest_collection_modifyitems(items):
    """Marks what `make check` leaves to `make test`: PostgreSQL, as the same tests run on SQLite, and slow modules."""
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {}).values()
        if POSTGRESQL.intersection(map(str, values)) or "cluster" in item.fixturenames or item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this worker's, which starts with the first test that needs it."""
    made = postgres.Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def migrated(cluster):
    """The name of a PostgreSQL database with all tables and no rows, to be copied."""
    from planton_server.store import schema

    name = cluster.create()
    schema.migrate(cluster.url(name))
    return name
