"""Runs: several resources planned, applied and destroyed as one thing, in the order of their references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planton.deploy.run import Run
    from planton.deploy.steps import Step

__all__ = ["Run", "Step"]


def __getattr__(name: str) -> Any:  # a class of this package
    # `planton validate` imports deploy.check. Importing the engine with it would double its cold start.
    if name == "Run":
        from planton.deploy import run

        return run.Run
    if name == "Step":
        from planton.deploy import steps

        return steps.Step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
