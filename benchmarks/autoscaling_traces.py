"""Plots what the autoscaler does with days of load, in simulated time: `python benchmarks/autoscaling_traces.py [FOLDER]`.

Each trace becomes an SVG image in FOLDER, and a line with the number of changes, of turns (a change in the other direction than the
last one), and of node hours, compared with those of an autoscaler that knows the load in advance and has no delays. Without FOLDER
it only prints. Nothing is measured, so the result is the same on every machine.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import pathlib
import random
import sys
from typing import TYPE_CHECKING

from planton.controllers import autoscaling, scheduling

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 1 << 30
HOUR, DAY = 3600.0, 24 * 3600.0
#: Seconds between two samples, and until a new node is ready.
INTERVAL, PROVISION = 15.0, 90.0
SIZE = scheduling.Resources(cpu=2000, memory=4 * GIB, pods=110)
TEMPLATE = scheduling.Node(name="template", created=0, allocatable=SIZE)
TARGETS = autoscaling.Targets(min_nodes=2, max_nodes=12, cpu=60)
WIDTH, HEIGHT, MARGIN = 720, 220, 36


@dataclasses.dataclass(frozen=True, slots=True)
class Trace:
    """What happened in a day.

    Attributes:
        ideal: Time → the number of nodes that the load needs, with fractions.
        counts: Time → the number of nodes that the autoscaler has asked for, one entry for each change.
    """

    ideal: list[tuple[float, float]]
    counts: list[tuple[float, int]]

    @property
    def turns(self) -> int:
        """How often the direction changed."""
        rises = [after > before for (_, before), (_, after) in itertools.pairwise(self.counts)]
        return sum(left != right for left, right in itertools.pairwise(rises))

    @property
    def hours(self) -> tuple[float, float]:
        """The node hours of the autoscaler, and of one that knows everything."""
        ends = [*(at for at, _ in self.counts[1:]), DAY]
        used = sum(count * (end - at) for (at, count), end in zip(self.counts, ends, strict=True))
        best = sum(min(max(math.ceil(nodes), TARGETS.min_nodes), TARGETS.max_nodes) for _, nodes in self.ideal) * INTERVAL
        return used / HOUR, best / HOUR


def play(load: Callable[[float], float]) -> Trace:
    """Returns what the autoscaler does with a load: time in seconds → millicores."""
    created, history = [-PROVISION] * 2, autoscaling.History(began=0.0, changed=0.0)
    trace, now = Trace([], [(0.0, 2)]), 0.0
    while now < DAY:
        trace.ideal.append((now, load(now) / SIZE.cpu / (TARGETS.cpu or 100) * 100))
        decision, history = autoscaling.decide(TARGETS, history, _sample(now, created, load(now)))
        if decision.count != len(created):
            trace.counts.append((now, decision.count))
            created = created[: decision.count] + [now] * (decision.count - len(created))
        now += INTERVAL
    return trace


def _sample(now: float, created: list[float], load: float) -> autoscaling.Sample:
    ready = [each + PROVISION <= now for each in created]
    usage = scheduling.Resources(cpu=min(SIZE.cpu, round(load / max(1, sum(ready)))), memory=GIB)
    nodes = tuple(
        scheduling.Node(name=f"n{number}", created=at, allocatable=SIZE, is_ready=is_ready, usage=usage if is_ready else None)
        for number, (at, is_ready) in enumerate(zip(created, ready, strict=True))
    )
    return autoscaling.Sample(now=now, target=len(created), nodes=nodes, template=TEMPLATE, measured=now)


def _day(now: float) -> float:
    return 6000 + 4500 * math.sin(2 * math.pi * (now / DAY - 0.3))


def _steps(now: float) -> float:
    return 11000 if 8 * HOUR <= now < 12 * HOUR or 13 * HOUR <= now < 17 * HOUR else 2500


def _noise() -> Callable[[float], float]:
    # The seed makes the trace the same on every machine.
    source = random.Random(7)  # a load, not a secret
    values = [6000 + source.uniform(-1800, 1800) for _ in range(int(DAY / 60) + 1)]
    return lambda now: values[int(now // 60)]


TRACES: dict[str, Callable[[float], float]] = {
    "day": _day,
    "working-hours": _steps,
    "noise": _noise(),
    "spikes": lambda now: 3000 + (14000 if now % (3 * HOUR) < 100 else 0),
    "constant": lambda _now: 7000,
}


def svg(name: str, trace: Trace) -> str:
    """Returns a trace as an image: the needed nodes as a thin line, those asked for as steps, and the bounds."""
    top = TARGETS.max_nodes + 1

    def point(at: float, nodes: float) -> str:
        across = MARGIN + at / DAY * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{HEIGHT - MARGIN - min(nodes, top) / top * (HEIGHT - 2 * MARGIN):.1f}"

    stride = int(300 / INTERVAL)
    need = " ".join(point(at, nodes) for at, nodes in trace.ideal[::stride])
    ends = [*(at for at, _ in trace.counts[1:]), DAY]
    steps = " ".join(f"{point(at, count)} {point(end, count)}" for (at, count), end in zip(trace.counts, ends, strict=True))
    bounds = "".join(
        f'<polyline points="{point(0, bound)} {point(DAY, bound)}" stroke="#999" stroke-dasharray="4 4"/>'
        f'<text x="4" y="{point(0, bound).partition(",")[2]}">{bound}</text>'
        for bound in (TARGETS.min_nodes, TARGETS.max_nodes)
    )
    hours = "".join(
        f'<text x="{point(hour * HOUR, 0).partition(",")[0]}" y="{HEIGHT - 12}" text-anchor="middle">{hour} h</text>'
        for hour in range(0, 25, 6)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11" fill="none">'
        f'<title>{name}: nodes that the load needs, and nodes of the pool</title><g fill="#555">{hours}</g>'
        f'<g fill="#555">{bounds}</g><polyline points="{need}" stroke="#d55e00"/>'
        f'<polyline points="{steps}" stroke="#0072b2" stroke-width="2"/></svg>\n'
    )


def main(folder: str = "") -> None:
    """Plays all traces."""
    print(f"{'trace':15}{'changes':>9}{'turns':>7}{'node hours':>12}{'at best':>9}")
    for name, load in TRACES.items():
        trace = play(load)
        used, best = trace.hours
        print(f"{name:15}{len(trace.counts) - 1:>9}{trace.turns:>7}{used:>12.0f}{best:>9.0f}")
        assert all(TARGETS.min_nodes <= count <= TARGETS.max_nodes for _, count in trace.counts)
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            (pathlib.Path(folder) / f"autoscaling-{name}.svg").write_text(svg(name, trace), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
