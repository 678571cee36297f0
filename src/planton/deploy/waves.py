"""Upgrades of many clusters in waves: a few at a time, and the next ones only when these are healthy.

A cloud upgrades the control plane of a cluster before its node pools. A wave edits the manifests, applies them and waits until all nodes
run the version and are ready. A run that stops is continued by the same command: clusters with the version are only checked.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.clouds import answers, views
from planton.config import folders
from planton.deploy import access, apply, approve, lists, nodes, overview, plan, planning
from planton.manifest import edit
from planton.modules import upgrades
from planton.recovery import observed
from planton.schema import kinds, references

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planton.deploy import runtime
    from planton.manifest import load

    Problems = Callable[["Target", runtime.Runtime], list[str]]

_PATH: Final = "spec.kubernetesVersion"
#: Seconds between two looks at a cluster that is not healthy yet.
_LOOK: Final = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A cluster to upgrade.

    Attributes:
        resource: Its manifest with the new version.
        old: The version in the manifest.
        version: The new version.
    """

    resource: load.Resource
    old: str
    version: str

    @property
    def key(self) -> references.Key:
        """The key of the cluster."""
        return references.key(self.resource.manifest)


@dataclasses.dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade in waves.

    Attributes:
        targets: The clusters, in their order.
        plan: The plan of all of them.
    """

    targets: tuple[Target, ...]
    plan: plan.Plan


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How fast waves follow each other.

    Attributes:
        parallel: The number of clusters of a wave.
        pause: Seconds between a healthy wave and the next one.
        wait: Sleeps so many seconds.
        clock: Returns seconds.
    """

    parallel: int = 1
    pause: float = 0.0
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def make(resources: Iterable[load.Resource], version: str, run: runtime.Runtime) -> Upgrade:
    """Returns the upgrade of the clusters among some resources. Nothing is changed.

    Args:
        resources: The manifests.
        version: The version: as the cloud writes it, or its numbers alone, e.g. ``1.31.2``.
        run: What every stage uses.

    Raises:
        InvalidError: A manifest is invalid with the new version.
        PlantonError: ``USAGE``: there is no cluster, or a file cannot be changed; ``NOT_OFFERED``.
    """
    cache = answers.Answers()
    clusters = [each for each in resources if kinds.get(each.manifest.DESCRIPTOR.name).is_cluster]
    if not clusters:
        raise errors.usage(
            "there are no clusters in these manifests", hint="pass their manifests with -f, and check --env and -l"
        )
    targets = tuple(_target(each, version, run, cache) for each in clusters)
    for target in targets:
        _edited(target)
    return Upgrade(targets, planning.make(tuple(target.resource for target in targets), plan.Options(is_preview=True), run))


def _target(resource: load.Resource, version: str, run: runtime.Runtime, cache: answers.Answers) -> Target:
    manifest: Any = resource.manifest
    kind = kinds.get(manifest.DESCRIPTOR.name)
    old = str(manifest.spec.kubernetes_version)
    applied = run.inventory.find(references.key(manifest))
    if applied is None:
        hint = "apply it first: planton apply"
        raise errors.stack_not_found(
            f"{references.key(manifest)} was not applied, so that it cannot be upgraded",
            hint=hint,
        )
    cloud = access.cloud_of(applied, run)
    rows = lists.of(cloud, cache, run.settings.progress).versions() or []
    type_ = str(getattr(manifest.spec, "cluster_type", ""))
    offered = [str(row["version"]) for row in rows if not type_ or row["type"] == type_]
    bare = upgrades.spelling(version)
    matches = [each for each in offered if each == bare or each.startswith(f"{bare}-")]
    if not matches and upgrades.spelling(old) != bare:
        where = f"for clusterType {type_}" if type_ else f"by {kind.cloud.spoken}"
        raise upgrades.not_offered(version, offered, where=where, path=resource.place(_PATH), provider=kind.provider)
    new = max(matches, key=upgrades.numbers, default=bare)
    # K3s itself writes a plus; a manifest keeps its spelling.
    new = new.replace("-k3s", "+k3s") if "+" in old else new
    copy: Any = type(manifest)()
    copy.CopyFrom(manifest)
    edit.set_text(copy, _PATH, new)
    return Target(dataclasses.replace(resource, manifest=copy), old, new)


def _problems(target: Target, run: runtime.Runtime) -> list[str]:
    """Returns what keeps a cluster from being healthy at its version; nodes that cannot be read are only noted."""
    applied = run.inventory.find(target.key)
    if applied is None:
        return ["it is missing from the state"]
    cache = observed.Lists(answers.Answers())
    seen = overview.of(applied, run.inventory.open(applied.stack).export(), run, cache)
    if seen.problem is not None:
        return [seen.problem.message]
    problems = [] if seen.summary.status == views.READY else [f"the cloud reports {seen.summary.status}"]
    if upgrades.spelling(seen.summary.version) != upgrades.spelling(target.version):
        problems.append(f"the cloud reports version {seen.summary.version}")
    try:
        listed = nodes.read(applied, nodes.connect(applied, run), run, cache)
    except errors.PlantonError as error:
        run.settings.progress(f"! the nodes of {target.key} were not checked: {error.message}")
        return problems
    numbers = upgrades.numbers(target.version)[:3]
    for node in listed:
        problems += [f"node {node.name}: {each}" for each in node.problems]
        if node.version and upgrades.numbers(node.version)[:3] != numbers:
            problems.append(f"node {node.name} runs {node.version}")
    return problems


@dataclasses.dataclass(frozen=True, slots=True)
class _Health:
    """How the health of a cluster is awaited."""

    pace: Pace
    problems: Problems


def run_waves(
    upgrade: Upgrade, consent: approve.Consent, run: runtime.Runtime, pace: Pace, *, problems: Problems = _problems
) -> Iterator[tuple[Target, errors.PlantonError | None]]:
    """Upgrades cluster by cluster, and yields each with its error. After the first error, the rest is not tried.

    Args:
        upgrade: The upgrade.
        consent: What the caller agrees to, as for an apply.
        run: What every stage uses.
        pace: How fast waves follow each other.
        problems: Returns what keeps an upgraded cluster from being healthy.

    Raises:
        PlantonError: The consent does not cover a plan; ``INTERRUPTED``; a file cannot be written.
    """
    waves = [upgrade.targets[at : at + pace.parallel] for at in range(0, len(upgrade.targets), pace.parallel)]
    for number, wave in enumerate(waves):
        run.settings.interruption.check()
        if number and pace.pause:
            run.settings.progress(f"pausing for {pace.pause:.0f} s before the next wave")
            pace.wait(pace.pause)
        failures = _wave(wave, consent, run, _Health(pace, problems))
        yield from ((target, failures.get(target.key)) for target in wave)
        if failures:
            return


def _wave(
    wave: Sequence[Target], consent: approve.Consent, run: runtime.Runtime, health: _Health
) -> dict[references.Key, errors.PlantonError]:
    for target in wave:
        changed = _edited(target)
        if changed is not None:
            _write(*changed)
    planned = planning.make(tuple(target.resource for target in wave), plan.Options(), run)
    failed = {step.key: step.error for step in planned.steps if step.error is not None}
    if failed:
        return failed
    ended = apply.apply(approve.Approved(planned, consent))
    failed = {step.key: step.error for step in ended if step.error is not None}
    for target in wave:
        if target.key not in failed:
            problem = _await_health(target, run, health)
            failed |= {} if problem is None else {target.key: problem}
    return failed


def _edited(target: Target) -> tuple[pathlib.Path, bytes] | None:
    return None if target.old == target.version else edit.replaced(target.resource, _PATH, target.version)


def _write(path: pathlib.Path, content: bytes) -> None:
    try:
        folders.write(path, content)
    except OSError as error:
        raise errors.manifest_unreadable(
            f"cannot write {path}: {error.strerror}", path, hint="make it writable, then run the same command again"
        ) from None


def _await_health(target: Target, run: runtime.Runtime, health: _Health) -> errors.PlantonError | None:
    pace = health.pace
    deadline = pace.clock() + run.settings.timeout
    while True:
        run.settings.interruption.check()
        problems = health.problems(target, run)
        if not problems:
            return None
        if pace.clock() >= deadline:
            return errors.cloud_stuck(
                f"{target.key} is not healthy after its upgrade to {target.version}: {'; '.join(problems)}",
                hint=f"planton describe {kinds.Role.CLUSTER.short_name}/{target.key.name}; then run the same command again",
            )
        pace.wait(_LOOK)
