"""Runs: several resources planned, applied and destroyed as one thing, in the order of their references."""

from planton.deploy.run import Run
from planton.deploy.steps import Step

__all__ = ["Run", "Step"]
