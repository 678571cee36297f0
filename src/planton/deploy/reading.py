"""Reads applied resources: drift and refresh. The cloud is not changed."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

from planton.clouds import answers
from planton.deploy import destroy, graph, running, steps
from planton.engine import plans, stacks, states
from planton.recovery import observed, recording
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planton.deploy import runtime
    from planton.manifest import load


def drift(resources: Iterable[load.Resource], run: runtime.Runtime, *, full: bool = False) -> list[steps.Step]:
    """Returns how the cloud differs from the last apply. A resource that was not applied has an error.

    One list per account and kind is compared with the states. The engine reads only resources that differ, or whose last operation
    did not end.

    Args:
        resources: The resources.
        run: What every stage uses.
        full: Whether the engine reads every resource, also properties that are in no list.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or one stack twice.
    """
    lists = observed.Lists(answers.Answers())
    return [step for each in _graphs(resources) for step in _drift(each, lists, run, full=full)]


def _graphs(resources: Iterable[load.Resource]) -> list[graph.Graph]:
    """Returns graphs of resources of which several stacks may have one key: the first graph has the resources whose key is unique.

    Each of the others has a graph of its own, so that none is the target of a reference to several.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or one stack given twice.
    """
    listed = list(resources)
    names = collections.defaultdict(set)
    for resource in listed:
        names[references.key(resource.manifest)].add(stacks.name_of(resource.manifest))
    groups = collections.defaultdict(list)
    for resource in listed:
        key = references.key(resource.manifest)
        groups[stacks.name_of(resource.manifest) if len(names[key]) > 1 else None].append(resource)
    return [graph.of(groups.pop(None, ())), *map(graph.of, groups.values())]


def _drift(resource_graph: graph.Graph, lists: observed.Lists, run: runtime.Runtime, *, full: bool) -> list[steps.Step]:
    def look(step: steps.Step, _done: running.Done) -> steps.Step:
        step, subject = destroy.opened(step, resource_graph, run)
        is_suspicious = full or step.applied is None or recording.is_unfinished(subject) or bool(states.pending(subject.state()))
        if not is_suspicious and not run.operations.differs(subject, lists):
            return step
        return dataclasses.replace(step, plan=plans.Plan(run.operations.drift(subject)), is_read_by_engine=True)

    planned = [steps.of(resource_graph.resources[key]) for key in resource_graph.order]
    return running.run(planned, [look], resource_graph, run.settings, dependencies={}, why="failed")


def refresh(resources: Iterable[load.Resource], run: runtime.Runtime) -> list[steps.Step]:
    """Reads the cloud into the states; a state that fails stays unchanged. Resources that were not applied are left out.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or a duplicate.
    """
    resource_graph = graph.of(resources)

    def read(step: steps.Step, _done: running.Done) -> steps.Step:
        step, subject = destroy.opened(step, resource_graph, run)
        if not run.operations.recover(subject).resumption.imports:
            run.operations.refresh(subject)
        return step

    resources_in_order = [resource_graph.resources[key] for key in resource_graph.order]
    planned = [steps.of(each) for each in resources_in_order if run.inventory.is_applied(each.manifest)]
    return running.run(planned, [read], resource_graph, run.settings, dependencies={}, why="failed")
