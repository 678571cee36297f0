"""Run records and locks of one stack."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from planton import errors
from planton.config import settings
from planton.engine import stacks
from planton.state import journal

NAME = stacks.StackName("planton", "dev.CivoVpc.net")


def _settings(progress: Callable[[str], None]) -> settings.Settings:
    return settings.Settings(environ={}, progress=progress)


def _journal(folder: pathlib.Path, backend: str = "file:///state", name: stacks.StackName = NAME) -> journal.Journal:
    return journal.Journal(folder, backend, name)


def test_a_record_exists_until_it_is_cleared(tmp_path: pathlib.Path) -> None:
    """Another process can read it. A clean end removes it."""
    assert _journal(tmp_path).read() is None
    uncertain = {"urn:a": journal.Creation("a", {"label": "a"}), "urn:b": journal.Creation("b")}
    record = journal.Record("apply", 12.5, failed=True, uncertain=uncertain, marker="m", before={"urn:a": ("1", "2")})
    _journal(tmp_path).write(record)
    assert _journal(tmp_path).read() == record
    _journal(tmp_path).clear()
    assert _journal(tmp_path).read() is None
    _journal(tmp_path).clear()


def test_a_record_of_an_older_release_has_names_only(tmp_path: pathlib.Path) -> None:
    """Its creations are still searched for, but a name does not prove ownership."""
    journal_ = _journal(tmp_path)
    journal_.write(journal.Record("apply", 1.0))
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_text('{"operation": "apply", "started": 1.0, "failed": true, "uncertain": {"urn:a": "a"}}', "utf-8")
    assert journal_.read() == journal.Record("apply", 1.0, failed=True, uncertain={"urn:a": journal.Creation("a")})


def test_stacks_of_different_backends_and_projects_have_their_own_records(tmp_path: pathlib.Path) -> None:
    """The same name in another backend or project is another stack."""
    _journal(tmp_path).write(journal.Record("apply", 1.0))
    assert _journal(tmp_path, "s3://other").read() is None
    assert _journal(tmp_path, name=stacks.StackName("other", NAME.stack)).read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"operation": "apply"}', "\xff"])
def test_a_damaged_record_still_reports_an_interrupted_operation(text: str, tmp_path: pathlib.Path) -> None:
    """It never counts as a clean end, and never stops the next run."""
    journal_ = _journal(tmp_path)
    journal_.write(journal.Record("apply", 1.0))
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_bytes(text.encode("latin-1"))
    record = journal_.read()
    assert record is not None
    assert (record.operation, record.uncertain) == ("an operation", {})


def test_a_locked_stack_names_its_holder(tmp_path: pathlib.Path) -> None:
    """The second operation fails with the holder's name. Afterwards the stack is unlocked."""
    messages: list[str] = []
    with _journal(tmp_path).hold("apply", _settings(messages.append)):
        with pytest.raises(errors.PlantonError) as caught, _journal(tmp_path).hold("destroy", _settings(messages.append)):
            pass
        assert caught.value.reason is errors.Reason.STACK_LOCKED
        assert caught.value.metadata["holder"].startswith("apply by ")
        assert caught.value.metadata["stack"] == str(NAME)
        with _journal(tmp_path, "s3://other").hold("apply", _settings(messages.append)):
            pass
    with _journal(tmp_path).hold("destroy", _settings(messages.append)):
        pass
    assert messages == []


def test_a_failed_operation_unlocks_the_stack(tmp_path: pathlib.Path) -> None:
    """The error is passed on."""

    def fail() -> None:
        with _journal(tmp_path).hold("apply", _settings(print)):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with _journal(tmp_path).hold("apply", _settings(print)):
        pass


def test_a_record_keeps_the_previous_default_pool(tmp_path: pathlib.Path) -> None:
    """A killed operation may have bound another pool. Records of older releases have no default pool."""
    journal_ = _journal(tmp_path)
    journal_.write(journal.Record("apply", 1.0, default_pool={"id": "mine"}))
    record = journal_.read()
    assert record is not None
    assert record.default_pool == {"id": "mine"}
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_text('{"operation": "apply", "started": 1.0, "failed": false, "uncertain": {}}', "utf-8")
    assert journal_.read() == journal.Record("apply", 1.0)
