"""Runs steps in the order of their dependencies. A failure stops only the dependants of the failed step."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import checks, schedule, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from google.protobuf import message

    from planton.config import settings as engine_settings
    from planton.deploy import graph
    from planton.schema import references

    Done = Mapping[references.Key, steps.Step]
    Stage = Callable[[steps.Step, Done], steps.Step]

_LOG = logging.getLogger(__name__)


def provided(
    outside: Mapping[references.Key, message.Message | None], done: Done
) -> dict[references.Key, message.Message | None]:
    """Returns the manifests that references refer to: those outside the run, and those of the steps so far."""
    return {**outside, **{key: step.provided for key, step in done.items()}}


def run(
    planned: Sequence[steps.Step],
    stages: Sequence[Stage],
    resources: graph.Graph,
    settings: engine_settings.Settings,
    *,
    dependencies: Mapping[references.Key, AbstractSet[references.Key]],
    why: str,
) -> list[steps.Step]:
    """Takes each step through some stages, in the order of the dependencies, and returns the results.

    Args:
        planned: The steps.
        stages: Functions of a step and of the results so far. An error of one ends the step, with what earlier stages found.
        resources: The resources, for places in errors.
        settings: The settings of the run.
        dependencies: Step → the steps that must succeed first.
        why: What happened to a failed step, for the errors of its dependants.
    """
    by_key = {step.key: step for step in planned}

    def work(key: references.Key, done: Done) -> steps.Step:
        step = by_key[key]
        failed = {each for each in dependencies.get(key, ()) if each in done and done[each].error is not None}
        if failed:
            return steps.blocked(step, failed, why=why)
        try:
            for stage in stages:
                settings.interruption.check()
                step = stage(step, done)
        except errors.PlantonError as error:
            _LOG.error("%s: %s: %s", key, error.reason, error.message)
            step = dataclasses.replace(step, error=checks.placed(error, resources.resources[key]))
        return step

    return schedule.each(list(by_key), dependencies, work, parallel=settings.parallel, interrupt=settings.interruption.ask)
