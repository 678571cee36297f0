"""What a user sees on a real pseudo-terminal, wide and narrow, with a sandbox as slow as the clouds."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator

import pytest

from support import planton as support
from support import screens
from support.worlds import Applied

GOLDENS = pathlib.Path(__file__).parent / "screens"
FILE = "dev.yaml"


@pytest.fixture
def user(tmp_path: pathlib.Path) -> Iterator[support.Planton]:
    """A user of a slow sandbox with manifests of a network and a cluster."""
    with support.using(tmp_path / "user", latency="realistic") as user:
        user.write(FILE, support.network(), support.cluster())
        yield user


def _run(
    user: support.Planton, *arguments: str, width: int = 120, answers: tuple[screens.Answer, ...] = (), **environ: str
) -> screens.Screen:
    env = user.environ | {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
    return screens.run(user.command(*arguments), cwd=user.folder, env=env, width=width, answers=answers, seconds=support.SECONDS)


#: The commands whose screens are recorded, on an applied network, cluster and pool.
COMMANDS = (
    "",
    "clutser",
    "get clutsers",
    "validate world.yaml",
    "plan -f world.yaml --set spec.nodeCount=4",
    "get",
    "get pools -o name",
    "describe pool/workers",
    "status",
    "drift",
    "history",
    "nodes dev",
    "outputs cluster/dev",
    "context",
    "upgrade --to 1.29.8 -f world.yaml",
    "destroy cluster/dev",
)


def _recorded(name: str, stable: str) -> str:
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(stable, "utf-8")
    return golden.read_text("utf-8")


@pytest.mark.parametrize("width", [120, 60])
def test_the_screens_of_commands(applied: Applied, width: int) -> None:
    """Each is recorded, without colours and what differs from run to run."""
    user = applied(support.network(), support.cluster(), support.pool())
    texts = []
    for command in COMMANDS:
        screen = _run(user, *command.split(), width=width, answers=(screens.Answer("[y/N]", "n\n"),))
        text = _stable(screen.lines()).replace(str(user.folder), "FOLDER")
        text = re.sub(r"logs/\S+", "logs/LOG", text)
        text = re.sub(r"k3s-dev-\S+-node-[0-9a-f]+", "NODE", re.sub(r"\S+@\S+", "USER", text))
        text = re.sub(r" {2,}", "  ", re.sub(r"\b\d+[smhd]\b", "AGE", text))
        texts.append(f"$ planton {command}\n{text}[exit {screen.code}]\n")
    stable = "\n".join(texts)
    assert stable == _recorded(f"commands-{width}", stable)


def _stable(lines: list[str]) -> str:
    """Returns lines without what differs from run to run."""
    text = "\n".join(lines).replace("\n\n", "\n").strip() + "\n"
    text = re.sub(r"\b\d+(\.\d+)? s\b|\b\d+ m( \d+ s)?\b", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "DATE", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID", text)
    return re.sub(r"(node\w*Names?: ).*", r"\1NAMES", text)


@pytest.mark.parametrize("width", [120, 60])
def test_an_apply_on_a_terminal(user: support.Planton, width: int) -> None:
    """The screen afterwards is recorded. While the cloud works, a line per resource has a spinner, times and a stage."""
    answers = (
        screens.Answer("[y/N]", "y\n"),
        # The cloud would take minutes.
        screens.Answer("control plane", act=lambda: user.sandbox.control.advance(600)),
    )
    screen = _run(user, "apply", "-f", FILE, width=width, answers=answers)
    assert screen.code == 0, screen.raw
    stable = _stable(screen.lines())
    assert stable == _recorded(f"apply-{width}", stable)
    drawn = re.sub(r"\x1b\[[0-9;]*m", "", screen.raw)
    frames = set(re.findall(r"([⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]) \S*dev", drawn))
    assert len(frames) > 4, "the spinner moves"
    assert re.search(r"s of about 1 m 40 s  .*control plane", drawn)
    assert re.search("Planning|computing the changes", drawn)
    assert all(len(line) <= width for line in re.findall(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] [^\x1b\r\n]*", drawn))


def test_no_is_an_answer(user: support.Planton) -> None:
    """Nothing was changed, and this is no error message."""
    screen = _run(user, "apply", "-f", FILE, answers=(screens.Answer("[y/N]", "n\n"),))
    assert screen.code == 5
    assert [line for line in screen.lines() if line][-1] == "Cancelled; nothing was changed."
    assert "Error" not in screen.raw
    assert user.writes(0) == []


def test_two_interruptions_report_what_was_left(user: support.Planton) -> None:
    """The first one names what it waits for. After the second one the result says what was done, and what was not seen to end."""
    user.sandbox.control.outside("stuck", count=1)
    answers = (screens.Answer("creating cluster", "\x03"), screens.Answer("waiting for CivoKubernetesCluster/dev", "\x03"))
    screen = _run(user, "apply", "-f", FILE, "--yes", answers=answers)
    text = "\n".join(screen.lines())
    assert screen.code == 130, text
    assert re.search(r"waiting for CivoKubernetesCluster/dev \(env dev\) \(creating cluster", text)
    assert "  created firewall" in text
    assert "  creating cluster was not seen to end: the cloud may finish it" in text
    assert re.search(r"^Apply: 2 created, 1 interrupted in ", text, re.MULTILINE)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_and_movements_can_be_turned_off(user: support.Planton, variables: dict[str, str]) -> None:
    """``NO_COLOR`` keeps the movements, and ``TERM=dumb`` has neither, but heartbeats."""
    screen = _run(user, "plan", "-f", FILE, **variables)
    assert screen.code == 0
    assert re.findall(r"\x1b\[[0-9;]*[1-9][0-9;]*m", screen.raw) == []
    assert ("\x1b[2K" in screen.raw) == ("NO_COLOR" in variables)
