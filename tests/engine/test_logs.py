"""Run logs: written when something happened, readable by one user, without secrets."""

from __future__ import annotations

import base64
import logging
import pathlib
import stat
from collections.abc import Iterator

import pytest

from planton.config import logs
from support import disk

LOG = logging.getLogger("planton.engine.test")


@pytest.fixture
def log(tmp_path: pathlib.Path) -> Iterator[logs.Log]:
    """The log of an apply."""
    begun = logs.begin("apply", ["apply", "-f", "a.yaml"], {"PLANTON_LOG_DIR": str(tmp_path / "logs")})
    yield begun
    logs.end()


def _written(log: logs.Log) -> str:
    return log.path.read_text("utf-8")


def test_nothing_is_written_until_something_is_said(log: logs.Log) -> None:
    """Commands that need no engine leave no file; the first record brings the command line with it."""
    assert not log.begun
    assert not log.path.parent.exists()
    LOG.debug("first %s", "record")
    assert log.begun
    lines = _written(log).splitlines()
    assert lines[0] == "planton apply -f a.yaml"
    assert lines[1].startswith("planton ")
    assert lines[2].endswith("[MainThread] first record")
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_known_secrets_are_replaced_wherever_they_occur(log: logs.Log) -> None:
    """Also a line of a longer one, its form in JSON, and in a traceback."""
    logs.hide(['to"ken-1', "first line of it\nsecond line of it\n", "abc", ""])
    LOG.debug('%s, {"a": "to\\"ken-1"}, second line of it, abcdef', 'to"ken-1')
    logs.note("unexpected", ValueError('bad to"ken-1'))
    text = _written(log)
    assert "ken-1" not in text
    assert "second line" not in text
    assert "abcdef" in text
    assert "ValueError: bad [redacted]" in text


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("postgres://user:pa55word@host/state", "pa55word"),
        ("token: 0123456789", "0123456789"),
        ('{"api_token":"0123456789"}', "0123456789"),
        ("Authorization: Bearer 0123456789", "0123456789"),
        ("client-key-data: TFMwdExTMUNSVWRK", "TFMwdExTMUNSVWRK"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\n-----END EC PRIVATE KEY-----", "MHcCAQEEIA"),
        ("of " + base64.b64encode(b"apiVersion: v1\nclusters: []\n").decode(), "Y2x1c3RlcnM6"),
    ],
)
def test_what_looks_like_a_secret_is_replaced(log: logs.Log, said: str, secret: str) -> None:
    """What a plugin prints is not always known beforehand."""
    LOG.debug("%s", said)
    assert secret not in _written(log)
    assert "[redacted]" in _written(log)


def test_the_command_line_shows_no_secret(tmp_path: pathlib.Path) -> None:
    """A backend may have a password in its URL."""
    log = logs.begin("get", ["get", "--backend", "postgres://u:pa55word@host/s"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("said")
    logs.end()
    assert "pa55word" not in _written(log)


def test_old_logs_go(tmp_path: pathlib.Path) -> None:
    """The newest 50 are kept, this one among them; what is no log stays."""
    for index in range(60):
        (tmp_path / f"20250101T0000{index:02}Z-get-1.log").touch()
    (tmp_path / "notes.txt").touch()
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("said")
    logs.end()
    left = sorted(path.name for path in tmp_path.glob("*.log"))
    assert len(left) == 50
    assert left[0] == "20250101T000011Z-get-1.log"
    assert (tmp_path / "notes.txt").exists()


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: pathlib.Path) -> None:
    """The operation matters more."""
    (tmp_path / "file").touch()
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path / "file")})
    LOG.debug("said")
    logs.end()
    assert logs.current() is None


def test_a_log_on_a_full_disk_ends_nothing_either(tmp_path: pathlib.Path) -> None:
    """What could not be written when it was said cannot be written at the end."""
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("said")
    with disk.full():
        LOG.debug("said to nobody")
        logs.end()
    assert logs.current() is None
