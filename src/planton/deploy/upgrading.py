"""The verbs of the public SDK that upgrade clusters in waves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import loading, runtime, waves
from planton.engine import environment
from planton.schema import references, resource_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planton.config import settings as engine_settings
    from planton.deploy import approve, progress


def plan_upgrade(
    sources: loading.Sources,
    version: str,
    *,
    names: Sequence[str] = (),
    settings: engine_settings.Settings | None = None,
    on_progress: progress.Listener | None = None,
) -> waves.Upgrade:
    """Returns the upgrade of the clusters among manifests, with its plan. Nothing is changed, in the files neither.

    Args:
        sources: Sources, as for `load`: files, because they will be edited.
        version: The version: as the cloud writes it, or its numbers alone, e.g. ``1.31.2``.
        names: ``KIND/NAME`` of the clusters; empty for all.
        settings: The settings; None for those of the environment.
        on_progress: Receives the progress of each resource, of the plan and of what follows it.

    Raises:
        planton.PlantonError: The manifests are invalid; ``USAGE``; ``STACK_NOT_FOUND``; ``NOT_OFFERED``; ``CREDENTIAL_…``.
    """
    resources = loading.load(sources)
    if names:
        requested = [resource_names.parse(name) for name in names]
        keys = [references.key(resource.manifest) for resource in resources]
        absent = [str(each) for each in requested if not any(each.matches(key) for key in keys)]
        if absent:
            raise errors.usage(f"{', '.join(absent)} is not among the manifests", hint="pass its manifest with -f FILE")
        resources = [each for each in resources if any(name.matches(references.key(each.manifest)) for name in requested)]
    with runtime.working(settings, on_progress) as run:
        return waves.make(resources, version, run)


def upgrade(
    planned: waves.Upgrade, consent: approve.Consent, pace: waves.Pace | None = None
) -> Iterator[tuple[waves.Target, errors.PlantonError | None]]:
    """Upgrades clusters in waves: edits manifests, applies them, waits until the clusters are healthy. Yields each with its error.

    After the first error, the rest is not tried. The same call continues: clusters that run the version are only checked.

    Args:
        planned: The upgrade.
        consent: What the caller agrees to, as for `apply`.
        pace: How fast waves follow each other; None for one cluster at a time.

    Raises:
        planton.PlantonError: The consent does not cover a plan; ``INTERRUPTED``; a file cannot be written.
    """
    with environment.hidden_from_sdk(os.environ):
        yield from waves.run_waves(planned, consent, planned.plan.run, pace or waves.Pace())
