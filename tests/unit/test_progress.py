"""The progress of a run: lines and heartbeats in a log, and one line per resource at work on a terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich import console

import planton
from planton import errors
from planton.cli import live, progress
from planton.schema import references

KEY = references.Key("CivoKubernetesCluster", "dev", "dev-cluster")
POOL = references.Key("CivoKubernetesNodePool", "dev", "dev-workers")
M = planton.Moment


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Returns the time."""
        return self.now


def event(moment: planton.Moment, *, key: references.Key = KEY, operation: str = "apply", **details: Any) -> planton.Event:
    """Returns an event."""
    return planton.Event(key, operation, moment, **details)


CREATION = {"resource": "cluster", "action": "create", "expected": 100.0}


@pytest.fixture
def clock() -> Clock:
    """A clock at 100 seconds."""
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    """The lines of a log."""
    return []


@pytest.fixture
def log(clock: Clock, lines: list[str]) -> progress.Log:
    """A log."""
    return progress.Log(lines.append, clock=clock)


def test_a_log_has_one_line_for_the_start_and_one_for_the_end_of_a_resource(
    log: progress.Log, clock: Clock, lines: list[str]
) -> None:
    """The first says how long it usually takes, the second how long it took."""
    log.take(event(M.STARTED))
    log.take(event(M.RESOURCE_STARTED, **CREATION))
    clock.now += 112
    log.take(event(M.STAGE, text="nodes 1/3"))
    log.take(event(M.RESOURCE_ENDED, **CREATION))
    log.take(event(M.ENDED))
    assert lines == [
        "CivoKubernetesCluster/dev-cluster (env dev): creating cluster (usually 1 m 40 s)",
        "CivoKubernetesCluster/dev-cluster (env dev): created cluster in 1 m 52 s",
    ]


def test_a_log_is_never_silent_for_thirty_seconds(log: progress.Log, clock: Clock, lines: list[str]) -> None:
    """A cluster that hangs is mentioned again and again, with its stage. The view looks once a second."""
    log.take(event(M.STARTED))
    log.take(event(M.RESOURCE_STARTED, **CREATION))
    spoken = [clock.now]
    for _ in range(120):
        clock.now += 1
        if clock.now == 150:
            log.take(event(M.STAGE, text="nodes 1/3"))
        before = len(lines)
        log.tick(clock.now)
        spoken += [clock.now] * (len(lines) - before)
    assert max(later - earlier for earlier, later in zip(spoken, [*spoken[1:], clock.now], strict=True)) <= 30
    assert lines[1] == f"{KEY}: still creating cluster, 25 s of about 1 m 40 s"
    assert lines[2] == f"{KEY}: still creating cluster: nodes 1/3, 50 s of about 1 m 40 s"


def test_each_resource_has_its_own_heartbeat(log: progress.Log, clock: Clock, lines: list[str]) -> None:
    """One that is busy does not hide one that hangs, and a plan has heartbeats too."""
    log.take(event(M.STARTED, operation="plan"))
    log.take(event(M.STAGE, operation="plan", text="reading the cloud"))
    clock.now += 20
    log.take(event(M.STARTED, key=POOL))
    log.take(event(M.RESOURCE_STARTED, key=POOL, resource="node_pool", action="update"))
    log.tick(clock.now + 6)
    assert lines[1:] == [f"{KEY}: still reading the cloud, 26 s"]
    log.take(event(M.ENDED, operation="plan"))
    log.tick(clock.now + 26)
    assert lines[2:] == [f"{POOL}: still updating node_pool, 26 s"]


def test_a_run_without_work_has_a_heartbeat_too(log: progress.Log, clock: Clock, lines: list[str]) -> None:
    """Before the first resource, and in commands that report none."""
    with log.shown("Reading the cloud"):
        log.tick(clock.now + 24)
        assert lines == []
        log.tick(clock.now + 25)
        log.tick(clock.now + 26)
    assert lines == ["Reading the cloud, 25 s"]


@pytest.mark.parametrize(
    ("action", "expected_text"),
    [
        ("create", "failed creating network after 0.0 s"),
        ("delete", "deleting network was not seen to end after 0.0 s"),
        ("delete-replaced", "deleting the old network was not seen to end after 0.0 s"),
    ],
)
def test_an_unfinished_deletion_is_not_reported_as_failed(
    action: str, expected_text: str, log: progress.Log, lines: list[str]
) -> None:
    """A plugin stopped waiting, and the cloud often reports the resource as deleted."""
    log.take(event(M.RESOURCE_STARTED, resource="network", action=action))
    log.take(event(M.RESOURCE_FAILED, resource="network", action=action))
    assert lines[-1] == f"{KEY}: {expected_text}"


def test_the_first_interruption_names_what_it_waits_for(log: progress.Log, clock: Clock) -> None:
    """A second one ends at once."""
    log.take(event(M.RESOURCE_STARTED, **CREATION))
    clock.now += 42
    first = progress.interruption_text(1, log.working(), clock.now)
    assert first == (
        f"stopping: nothing new begins; waiting for {KEY} (creating cluster, 42 s); press Ctrl-C again to stop at once"
    )
    assert progress.interruption_text(2, log.working(), clock.now).startswith("stopping at once; ")
    assert "waiting for the cloud" in progress.interruption_text(1, [], 0.0)


def _screen(width: int, height: int = 24) -> console.Console:
    return console.Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False
    )


def _drawn(view: live.Live, screen: console.Console) -> list[str]:
    with screen.capture() as captured:
        screen.print(view.rows())
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("width", "name", "doing"),
    [(120, "CivoKubernetesCluster/dev-cluster (env dev)", "creating cluster: nodes 2/3"), (60, "dev-cluster", "nodes 2/3")],
)
def test_a_terminal_shows_one_line_per_resource_at_work(width: int, name: str, doing: str, clock: Clock) -> None:
    """With elapsed and usual time, and the stage. A narrow terminal shows the name and the stage alone."""
    screen = _screen(width)
    view = live.Live(screen, clock=clock)
    view.take(event(M.RESOURCE_STARTED, **CREATION))
    view.take(event(M.STAGE, text="nodes 2/3"))
    view.take(event(M.STARTED, key=POOL))
    clock.now += 72
    drawn = _drawn(view, screen)
    assert drawn[0].endswith(f" {name}  1 m 12 s of about 1 m 40 s  {doing}")
    assert len(drawn) == 2
    assert all(len(line) <= width for line in drawn)


def test_the_display_changes_at_least_once_a_second(clock: Clock) -> None:
    """Also before anything is at work."""
    screen = _screen(80)
    view = live.Live(screen, clock=clock)
    first = _drawn(view, screen)
    clock.now += 1
    assert _drawn(view, screen) != first


def test_more_work_than_lines_is_counted(clock: Clock) -> None:
    """The display never scrolls."""
    screen = _screen(80, height=8)
    view = live.Live(screen, clock=clock)
    for number in range(9):
        view.take(event(M.STARTED, key=references.Key("CivoVpc", "dev", f"net-{number}")))
    drawn = _drawn(view, screen)
    assert (len(drawn), drawn[-1].strip()) == (6, "and 4 more")


def test_ended_resources_stay_as_lines(clock: Clock) -> None:
    """Those of a plan do not, as the plan shows them. Control characters of names are escaped."""
    screen = _screen(120)
    view = live.Live(screen, clock=clock)
    hostile = references.Key("CivoVpc", "", "a\x1b[2Jb")
    with screen.capture() as captured:
        for key in (KEY, hostile):
            view.take(event(M.STARTED, key=key, operation="plan"))
            view.take(event(M.ENDED, key=key, operation="plan"))
        view.take(event(M.RESOURCE_STARTED, **CREATION))
        clock.now += 5
        view.take(event(M.RESOURCE_ENDED, **CREATION))
        view.take(event(M.ENDED))
        error = errors.PlantonError("no\x07", reason=errors.Reason.CLOUD_FAILED)
        view.take(event(M.ENDED, key=hostile, error=error))
        view.take(event(M.ENDED, key=POOL))
    assert captured.get().splitlines() == [
        f"✓ {KEY}: created cluster in 5.0 s",
        "✗ CivoVpc/a\\u001b[2Jb: no\\u0007",
    ]


def test_colours_are_off_with_no_color(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Movements of the cursor are no colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    screen = live.open_console()
    assert screen.color_system is None
    monkeypatch.delenv("NO_COLOR")
    assert live.open_console().color_system == "standard"
    assert not re.search("\x1b", "".join(_drawn(live.Live(_screen(60), clock=clock), _screen(60))))
