"""The record of an apply in its state, which every machine can read."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.engine import stacks, states
from planton.recovery import awaiting, managed, recording, resuming
from planton.state import evidence, journal
from support import mocks

NAME = stacks.StackName("planton", "a")
STACK_URN = "urn:pulumi:a::planton::pulumi:pulumi:Stack::planton-a"
URN = "urn:pulumi:a::planton::civo:index/network:Network::network"
STACK = {"urn": STACK_URN, "type": "pulumi:pulumi:Stack"}
NETWORK = {"urn": URN, "type": "civo:index/network:Network", "custom": True, "id": "n-1", "inputs": {}, "outputs": {}}
SENT = {URN: journal.Creation("net", {"label": "net"})}
RECORD = journal.Record("apply", 12.5, uncertain=SENT, marker="m", before={URN: ("1", "2")}, id="run-1", previous="run-0")


def _state(record: journal.Record, *, ended: bool = False) -> dict[str, Any]:
    state = evidence.noted({"resources": [STACK]}, record)
    [entry] = [each for each in state["resources"] if each["type"] == states.RECORD]
    entry["outputs"] = {states.RECORD_ID: record.id} if ended else {}
    return state


def test_a_record_is_unfinished_until_its_program_has_ended() -> None:
    """What the state says is what was recorded before the first request."""
    assert evidence.unfinished({}) is None
    assert evidence.unfinished(_state(RECORD)) == RECORD
    assert evidence.unfinished(_state(RECORD, ended=True)) is None
    assert evidence.id_of(_state(RECORD, ended=True)) == "run-1"
    assert evidence.unfinished(evidence.cleared(_state(RECORD))) is None


def test_the_output_of_an_earlier_apply_does_not_end_a_later_one() -> None:
    """The engine keeps outputs until the program registers new ones."""
    state = _state(dataclasses.replace(RECORD, id="run-0"), ended=True)
    later = evidence.noted(state, RECORD)
    assert evidence.unfinished(later) == RECORD
    assert len(later["resources"]) == len(state["resources"])


def test_a_state_without_a_stack_has_no_place_for_a_record() -> None:
    """Nothing was created there."""
    assert evidence.noted({"resources": []}, RECORD) == {"resources": []}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"operation": "apply"}'])
def test_a_record_that_cannot_be_read_proves_nothing(text: str) -> None:
    """It stops no command."""
    state = _state(RECORD)
    state["resources"][1]["inputs"]["record"] = text
    assert evidence.unfinished(state) is None


@dataclasses.dataclass
class _Stack:
    settings: settings.Settings
    state: dict[str, Any]
    name: stacks.StackName = NAME

    def export(self) -> dict[str, Any]:
        return dict(self.state)

    def exists(self) -> bool:
        return bool(self.state.get("resources"))

    def replace_state(self, state: dict[str, Any], **_more: object) -> None:
        self.state = dict(state)

    def lock_holders(self) -> list[tuple[str, int]]:
        return []

    def unlock(self, *, force: bool = False) -> None:
        """Nothing is locked."""


def _unreachable(*_args: object) -> Any:
    raise errors.PlantonError("no answer", reason=errors.Reason.CLOUD_UNREACHABLE)


def _managed(folder: pathlib.Path, state: dict[str, Any]) -> managed.Managed:
    stack: Any = _Stack(settings.Settings(environ={"PLANTON_DATA_DIR": str(folder)}), state)
    stack_input = mocks.stack_input(mocks.target("CivoVpc", {"networkName": "net"}, name="a"))
    return managed.Managed(stack_input, stack, timing=awaiting.Timing(), now=lambda: 13.0, open_cloud=_unreachable)


def test_every_machine_sees_what_an_interrupted_apply_recorded(tmp_path: pathlib.Path) -> None:
    """Without a file of its own, a machine uses the record in the state."""
    subject = _managed(tmp_path / "b", _state(RECORD))
    assert subject.record(subject.state()) == RECORD
    assert recording.is_unfinished(subject)


def test_a_machine_adds_creations_that_the_backend_does_not_have(tmp_path: pathlib.Path) -> None:
    """The apply failed, and the backend could not be written."""
    subject = _managed(tmp_path, _state(dataclasses.replace(RECORD, uncertain={})))
    subject.journal.write(dataclasses.replace(RECORD, failed=True))
    record = subject.record(subject.state())
    assert record is not None
    assert (record.uncertain, record.failed) == (SENT, True)


@pytest.mark.parametrize("ended", [True, False])
def test_a_record_is_outdated_if_another_machine_has_applied_since(tmp_path: pathlib.Path, *, ended: bool) -> None:
    """What it proved then could be a stranger's resource now."""
    theirs = dataclasses.replace(RECORD, id="run-2", uncertain={})
    subject = _managed(tmp_path, _state(theirs, ended=ended))
    subject.journal.write(RECORD)
    assert subject.record(subject.state()) == (None if ended else theirs)


def test_an_operation_that_had_not_begun_in_the_backend_is_not_outdated(tmp_path: pathlib.Path) -> None:
    """A destroy, a refresh, or an apply that was killed early leaves the previous record in the state."""
    before = dataclasses.replace(RECORD, id="run-0", uncertain={})
    subject = _managed(tmp_path, _state(before, ended=True))
    own = dataclasses.replace(RECORD, operation="destroy")
    subject.journal.write(own)
    assert subject.record(subject.state()) == own


def test_the_record_of_an_older_release_moves_into_the_state(tmp_path: pathlib.Path) -> None:
    """Its machine writes it there when it recovers, so that any other one can continue."""
    subject = _managed(tmp_path, {"resources": [STACK]})
    subject.journal.write(dataclasses.replace(RECORD, before={}, id="", previous="", failed=True))
    with pytest.raises(errors.PlantonError, match="no answer"):
        resuming.recover(subject)
    other = _managed(tmp_path / "other", subject.stack.export())
    record = other.record(other.state())
    assert record is not None
    assert (record.uncertain, record.marker) == (SENT, "m")
