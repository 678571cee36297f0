"""Options, markers and fixtures shared by several folders of tests."""

import gc
import signal

import hypothesis
import pytest

from support import languages, postgres, together, trials, variants
from support.printable import pytest_report_to_serializable, pytest_warning_recorded

__all__ = ["pytest_report_to_serializable", "pytest_warning_recorded"]

# Background processes inherit an ignored Ctrl-C, and those of nohup an ignored hang-up, but some tests send them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # This process goes on as nohup asks; the programs that it starts do not inherit a handler.
    signal.signal(signal.SIGHUP, lambda _signal, _frame: None)


# Hypothesis fails an example that takes 200 ms. On a busy machine every example may take that long.
# Every run has the same examples, so a failure comes from the change. `--hypothesis-profile random` tries new ones.
for _name, _percentage in trials.PROFILES.items():
    hypothesis.settings.register_profile(
        _name,
        derandomize=_name != "random",
        max_examples=_percentage,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("planton")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collects without the garbage collector, which would look at 9,000 tests again and again: a sixth of the time.

    The tests then run with fewer collections than by default: another eighth.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def pytest_addoption(parser):
    parser.addoption("--language", choices=sorted(languages.LANGUAGES), help="run tests/languages for this language alone")


def pytest_generate_tests(metafunc):
    """Runs tests of other languages for all installed ones, or for `--language` only."""
    if "language" in metafunc.fixturenames:
        selected = metafunc.config.getoption("--language")
        metafunc.parametrize("language", [selected] if selected else languages.installed(), scope="session", indirect=True)


def pytest_xdist_make_scheduler(config, log):
    """Lets one worker run the tests that share what takes long to prepare."""
    return together.Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


#: Modules that start processes of servers and shells, or send thousands of requests.
SLOW = {
    *(
        "test_clients",
        "test_clock_steps",
        "test_completion",
        "test_concurrency",
        "test_discovery",
        "test_extras",
        "test_full_disk",
    ),
    *("test_generate", "test_guide", "test_hooks", "test_imports", "test_kubectl", "test_launch", "test_metrics", "test_process"),
    *("test_schemathesis", "test_sdist", "test_server_backup", "test_server_docs", "test_server_start", "test_server_stop"),
    *("test_server_tokens", "test_smallest_controller", "test_timers", "test_workers"),
}


#: Parameters of tests that need PostgreSQL.
POSTGRESQL = {"postgresql", "postgresql-grpc"}


def pytest_collection_modifyitems(items):
    """Marks slow modules, PostgreSQL, because SQLite runs the same tests, and what `make test` leaves to `make test-all`."""
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {}).values()
        if POSTGRESQL.intersection(map(str, values)) or "cluster" in item.fixturenames or item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)
        if variants.is_variant(str(item.path.relative_to(item.config.rootpath)), item.name):
            item.add_marker(pytest.mark.variant)


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server of this worker, which starts with the first test that needs it."""
    server = postgres.Cluster()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated(cluster):
    """The name of a PostgreSQL template database with all tables and no rows."""
    from planton_server.store import schema

    name = cluster.create()
    schema.migrate(cluster.url(name))
    return name
