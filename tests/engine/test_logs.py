"""Run logs: created with the first record, readable by one user, without secrets."""

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
    log = logs.begin("apply", ["apply", "-f", "a.yaml"], {"PLANTON_LOG_DIR": str(tmp_path / "logs")})
    yield log
    logs.end()


def _written(log: logs.Log) -> str:
    return log.path.read_text("utf-8")


def test_the_log_file_is_created_with_the_first_record(log: logs.Log) -> None:
    """Commands without the engine leave no file. The file starts with the command line."""
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


def test_known_secrets_are_redacted_everywhere(log: logs.Log) -> None:
    """This includes single lines of a secret, its form in JSON, and tracebacks."""
    logs.hide(['to"ken-1', "first line of it\nsecond line of it\n", "abc", ""])
    LOG.debug('%s, {"a": "to\\"ken-1"}, second line of it, abcdef', 'to"ken-1')
    logs.note("unexpected", ValueError('bad to"ken-1'))
    text = _written(log)
    assert "ken-1" not in text
    assert "second line" not in text
    assert "abcdef" in text
    assert "ValueError: bad [redacted]" in text


@pytest.mark.parametrize(
    ("text", "secret"),
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
def test_text_that_looks_like_a_secret_is_redacted(log: logs.Log, text: str, secret: str) -> None:
    """A plugin may print secrets that planton has never seen."""
    LOG.debug("%s", text)
    assert secret not in _written(log)
    assert "[redacted]" in _written(log)


def test_the_command_line_shows_no_secret(tmp_path: pathlib.Path) -> None:
    """The URL of a backend may contain a password."""
    log = logs.begin("get", ["get", "--backend", "postgres://u:pa55word@host/s"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("record")
    logs.end()
    assert "pa55word" not in _written(log)


def test_only_the_newest_logs_are_kept(tmp_path: pathlib.Path) -> None:
    """The limit of 50 includes the current one. Other files are not deleted."""
    for index in range(60):
        (tmp_path / f"20250101T0000{index:02}Z-get-1.log").touch()
    (tmp_path / "notes.txt").touch()
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("record")
    logs.end()
    names = sorted(path.name for path in tmp_path.glob("*.log"))
    assert len(names) == 50
    assert names[0] == "20250101T000011Z-get-1.log"
    assert (tmp_path / "notes.txt").exists()


def test_an_unwritable_log_does_not_stop_the_operation(tmp_path: pathlib.Path) -> None:
    """The operation continues without a log."""
    (tmp_path / "file").touch()
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path / "file")})
    LOG.debug("record")
    logs.end()
    assert logs.current() is None


def test_a_full_disk_stops_the_log_and_not_the_operation(tmp_path: pathlib.Path) -> None:
    """A record that could not be written must not fail again when the log is closed."""
    logs.begin("get", ["get"], {"PLANTON_LOG_DIR": str(tmp_path)})
    LOG.debug("record")
    with disk.full():
        LOG.debug("lost record")
        logs.end()
    assert logs.current() is None
