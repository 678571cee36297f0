"""Runs: several resources planned, applied and destroyed as one thing, in the order of their references."""

from planton.runs.run import Run
from planton.runs.steps import Step

__all__ = ["Run", "Step"]
