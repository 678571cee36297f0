"""Reads applied resources: drift and refresh. The cloud is not changed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton.deploy import destroy, graph, running, steps
from planton.engine import plans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planton.deploy import runtime
    from planton.manifest import load


def drift(resources: Iterable[load.Resource], run: runtime.Runtime) -> list[steps.Step]:
    """Returns how the cloud differs from the last apply. A resource that was not applied has an error.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or a duplicate.
    """
    resource_graph = graph.of(resources)

    def look(step: steps.Step, _done: running.Done) -> steps.Step:
        step, subject = destroy.opened(step, resource_graph, run)
        return dataclasses.replace(step, plan=plans.Plan(run.operations.drift(subject)))

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
