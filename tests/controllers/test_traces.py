"""The image in docs/operate/autoscaling.md shows what the autoscaler does."""

from __future__ import annotations

import pathlib
import runpy

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_committed_trace_is_that_of_the_autoscaler() -> None:
    """`python benchmarks/autoscaling_traces.py docs/operate` draws it; keep only the one that the page shows."""
    script = runpy.run_path(str(ROOT / "benchmarks" / "autoscaling_traces.py"), run_name="traces")
    trace = script["play"](script["TRACES"]["working-hours"])
    drawn = script["svg"]("working-hours", trace)
    assert (ROOT / "docs" / "operate" / "autoscaling-working-hours.svg").read_text("utf-8") == drawn
    assert len(trace.counts) - 1 <= 8
