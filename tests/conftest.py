"""Fixtures of several folders of tests."""

import signal

import pytest

from support import languages, postgres
from support.printable import pytest_report_to_serializable, pytest_warning_recorded

__all__ = ["pytest_report_to_serializable", "pytest_warning_recorded"]

# Who starts the tests in the background lets them and all that they start ignore Ctrl-C, which some tests are about.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--language", choices=sorted(languages.LANGUAGES), help="run tests/languages for this language alone")


def pytest_generate_tests(metafunc):
    """Runs tests of programs in other languages for those that are on this machine, or for the one that is asked for."""
    if "language" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--language")
        metafunc.parametrize("language", [chosen] if chosen else languages.there(), scope="session", indirect=True)


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this worker's, which starts with the first test that needs it."""
    made = postgres.Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def migrated(cluster):
    """The name of a database with all tables and no rows, to be copied."""
    from planton_server.store import schema

    name = cluster.create()
    schema.migrate(cluster.url(name))
    return name
