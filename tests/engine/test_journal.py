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


def _telling(progress: Callable[[str], None]) -> settings.Settings:
    return settings.Settings(environ={}, progress=progress)


def _journal(folder: pathlib.Path, backend: str = "file:///state", name: stacks.StackName = NAME) -> journal.Journal:
    return journal.Journal(folder, backend, name)


def test_a_record_is_there_until_it_is_cleared(tmp_path: pathlib.Path) -> None:
    """Another process reads what one has written; a clean end leaves nothing."""
    assert _journal(tmp_path).read() is None
    uncertain = {"urn:a": journal.Creation("a", {"label": "a"}), "urn:b": journal.Creation("b")}
    record = journal.Record("apply", 12.5, failed=True, uncertain=uncertain, marker="m", before={"urn:a": ("1", "2")})
    _journal(tmp_path).write(record)
    assert _journal(tmp_path).read() == record
    _journal(tmp_path).clear()
    assert _journal(tmp_path).read() is None
    _journal(tmp_path).clear()


def test_a_record_of_an_older_release_has_names_alone(tmp_path: pathlib.Path) -> None:
    """What it began is still looked for; the name proves nothing."""
    made = _journal(tmp_path)
    made.write(journal.Record("apply", 1.0))
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_text('{"operation": "apply", "started": 1.0, "failed": true, "uncertain": {"urn:a": "a"}}', "utf-8")
    assert made.read() == journal.Record("apply", 1.0, failed=True, uncertain={"urn:a": journal.Creation("a")})


def test_stacks_of_different_backends_and_projects_have_their_own_records(tmp_path: pathlib.Path) -> None:
    """The same name elsewhere is another stack."""
    _journal(tmp_path).write(journal.Record("apply", 1.0))
    assert _journal(tmp_path, "s3://other").read() is None
    assert _journal(tmp_path, name=stacks.StackName("other", NAME.stack)).read() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"operation": "apply"}', "\xff"])
def test_a_damaged_record_still_says_that_something_was_interrupted(text: str, tmp_path: pathlib.Path) -> None:
    """It is never taken for a clean end, and never ends the next run."""
    made = _journal(tmp_path)
    made.write(journal.Record("apply", 1.0))
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_bytes(text.encode("latin-1"))
    found = made.read()
    assert found is not None
    assert (found.operation, found.uncertain) == ("an operation", {})


def test_a_held_stack_names_its_holder(tmp_path: pathlib.Path) -> None:
    """The second does not wait longer than it may, and learns who does what; afterwards the stack is free."""
    told: list[str] = []
    with _journal(tmp_path).hold("apply", _telling(told.append)):
        with pytest.raises(errors.PlantonError) as caught, _journal(tmp_path).hold("destroy", _telling(told.append)):
            pass
        assert caught.value.reason is errors.Reason.STACK_LOCKED
        assert caught.value.metadata["holder"].startswith("apply by ")
        assert caught.value.metadata["stack"] == str(NAME)
        with _journal(tmp_path, "s3://other").hold("apply", _telling(told.append)):
            pass
    with _journal(tmp_path).hold("destroy", _telling(told.append)):
        pass
    assert told == []


def test_an_error_of_the_operation_frees_the_stack(tmp_path: pathlib.Path) -> None:
    """What fails inside is passed on, and holds nothing."""

    def fail() -> None:
        with _journal(tmp_path).hold("apply", _telling(print)):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with _journal(tmp_path).hold("apply", _telling(print)):
        pass


def test_a_record_keeps_the_default_pool_of_before(tmp_path: pathlib.Path) -> None:
    """An operation that was killed may have bound another pool; one of an older release says nothing of it."""
    made = _journal(tmp_path)
    made.write(journal.Record("apply", 1.0, default_pool={"id": "mine"}))
    found = made.read()
    assert found is not None
    assert found.default_pool == {"id": "mine"}
    [path] = (tmp_path / "runs").glob("*.json")
    path.write_text('{"operation": "apply", "started": 1.0, "failed": false, "uncertain": {}}', "utf-8")
    assert made.read() == journal.Record("apply", 1.0)
