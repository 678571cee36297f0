"""What is not as it should be: of nodes, versions, credentials, locks, drift and operations of applied resources. Nothing is changed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime
import enum
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.clouds import answers, certificates, kubeconfigs, kubernetes, views
from planton.deploy import access, lists, nodes, overview
from planton.modules import upgrades
from planton.recovery import observed
from planton.state import stores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planton.deploy import runtime

#: A credential that ends within this time is reported.
_SOON: Final = datetime.timedelta(days=30)
_PARALLEL: Final = 8


class Level(enum.IntEnum):
    """How urgent a finding is; the most urgent first."""

    ERROR = 0
    WARNING = 1
    NOTE = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """Something that is not as it should be, or that the user should know.

    Attributes:
        level: How urgent it is. Notes need no action.
        resource: The resource, ``KIND/NAME`` with its environment, or the stack.
        reason: One CamelCase word.
        message: The explanation, with values.
        hint: The next step; empty if there is none.
    """

    level: Level
    resource: str
    reason: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """Returns the finding as JSON data."""
        return {**dataclasses.asdict(self), "level": self.level.name.lower()}


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """The condition of applied resources.

    Attributes:
        overviews: The resources.
        findings: What is not as it should be, the most urgent first.
    """

    overviews: tuple[overview.Overview, ...]
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether everything is as it should be."""
        return all(finding.level is Level.NOTE for finding in self.findings)


def read(run: runtime.Runtime, listed: overview.Filter, *, now: datetime.datetime) -> Health:
    """Returns the condition of applied resources.

    Args:
        run: What every stage uses.
        listed: Which resources.
        now: The time.
    """
    cache = observed.Lists(answers.Answers())
    resources = [each for each in run.inventory.all_with_states() if listed.matches(each[0])]
    overviews = overview.of_all(resources, run, lists=cache)
    clusters = [each for each in overviews if each.kind.is_cluster and each.applied.complete and each.problem is None]
    with concurrent.futures.ThreadPoolExecutor(_PARALLEL) as pool:
        inside = list(pool.map(lambda each: [*_inside(each, run, cache, now), *_versions(each, run, cache)], clusters))
    findings = [
        *(finding for each in overviews for finding in (*_condition(each), *_operation(each, run))),
        *(finding for several in inside for finding in several),
        *_locks(run, overviews, listed),
    ]
    return Health(tuple(overviews), tuple(sorted(findings)))


def _condition(each: overview.Overview) -> Iterator[Finding]:
    name, short = str(each.key), f"{each.kind.short_name or each.kind.name}/{each.key.name}"
    status = each.summary.status
    if each.problem is not None:
        hint = each.problem.hint
        yield Finding(level=Level.WARNING, resource=name, reason="CloudNotRead", message=each.problem.message, hint=hint)
    elif status == overview.MISSING:
        text = "the cloud does not have it any more"
        yield Finding(level=Level.ERROR, resource=name, reason="Missing", message=text, hint=f"planton drift {short}")
    elif status == overview.INCOMPLETE:
        text = "its apply did not end"
        yield Finding(level=Level.ERROR, resource=name, reason="Incomplete", message=text, hint="planton apply")
    elif status == views.NOT_READY:
        text = f"{each.summary.ready} of {each.summary.desired} nodes are active"
        yield Finding(level=Level.ERROR, resource=name, reason="NotReady", message=text, hint=f"planton describe {short}")
    elif status not in (views.READY, overview.APPLIED):
        yield Finding(level=Level.NOTE, resource=name, reason=status, message=f"the cloud reports {status}")
    if each.differs and status != overview.MISSING:
        changes = [f"{name} is missing" for name in each.missing]
        changes += map(str, each.drift or ())
        text = ", ".join(changes)
        yield Finding(level=Level.WARNING, resource=name, reason="Drift", message=text, hint=f"planton drift {short}")


def _operation(each: overview.Overview, run: runtime.Runtime) -> Iterator[Finding]:
    record = stores.Stores(run.settings, run.tools).journal(each.applied.stack).read()
    if record is not None:
        when = datetime.datetime.fromtimestamp(record.started, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{record.operation} of {when} {'failed' if record.failed else 'did not end'}"
    elif each.is_unfinished and each.applied.complete:
        text = "the last operation did not end"
    else:
        return
    hint = "run the same command again: it looks at the cloud first"
    yield Finding(level=Level.ERROR, resource=str(each.key), reason="OperationFailed", message=text, hint=hint)


def _inside(each: overview.Overview, run: runtime.Runtime, cache: observed.Lists, now: datetime.datetime) -> Iterator[Finding]:
    try:
        credential = access.credential(each.applied, run)
        # A token that expires is renewed whenever it is used; a certificate is not.
        yield from _certificate(each, certificates.not_after(credential.certificate), now)
        listed = nodes.read(each.applied, kubernetes.Api(kubeconfigs.parse(credential.kubeconfig)), run, cache)
    except errors.PlantonError as error:
        text = f"its nodes were not checked: {error.message}"
        yield Finding(level=Level.NOTE, resource=str(each.key), reason="NodesNotChecked", message=text, hint=error.hint)
        return
    hint = f"planton nodes {each.kind.short_name}/{each.key.name}"
    for node in listed:
        if node.problems:
            text = f"node {node.name}: {'; '.join(node.problems)}"
            yield Finding(level=Level.ERROR, resource=str(each.key), reason="NodeNotReady", message=text, hint=hint)
        elif node.is_cordoned:
            text = f"node {node.name} is cordoned"
            yield Finding(level=Level.WARNING, resource=str(each.key), reason="NodeCordoned", message=text, hint=hint)


def _certificate(each: overview.Overview, ends: datetime.datetime | None, now: datetime.datetime) -> Iterator[Finding]:
    if ends is None or ends - now > _SOON:
        return
    text = f"the client certificate of its kubeconfig {'has ended' if ends < now else 'ends'} on {ends:%Y-%m-%d}"
    hint = "renew it at the cloud, then: planton refresh"
    yield Finding(level=Level.WARNING, resource=str(each.key), reason="CredentialExpires", message=text, hint=hint)


def _versions(each: overview.Overview, run: runtime.Runtime, cache: observed.Lists) -> Iterator[Finding]:
    running = upgrades.spelling(each.summary.version)
    offered = offered_versions(each, run, cache)
    if not running or offered is None:
        return
    newer = upgrades.targets(running, offered, patch_first=each.kind.cloud.requires_newest_patch)
    hint = f"planton upgrade {each.kind.short_name}/{each.key.name} -f FOLDER --to {newer[0]}" if newer else "planton versions"
    if running not in offered:
        text = f"Kubernetes {running} is not offered any more, so it may be out of support"
        yield Finding(level=Level.WARNING, resource=str(each.key), reason="VersionOutOfSupport", message=text, hint=hint)
    elif newer:
        text = f"Kubernetes {running} can be upgraded to {newer[0]}"
        yield Finding(level=Level.NOTE, resource=str(each.key), reason="UpgradeAvailable", message=text, hint=hint)


def offered_versions(each: overview.Overview, run: runtime.Runtime, cache: observed.Lists) -> list[str] | None:
    """Returns the versions that the cloud offers for a cluster; None if they cannot be read.

    Args:
        each: The cluster.
        run: What every stage uses.
        cache: The lists of the accounts.
    """
    try:
        cloud = access.cloud_of(each.applied, run)
    except errors.PlantonError:
        return None
    rows = lists.of(cloud, cache.answers, lambda _note: None).versions()
    manifest: Any = each.applied.manifest
    type_ = str(getattr(manifest.spec, "cluster_type", ""))
    return None if rows is None else [str(row["version"]) for row in rows if not type_ or row["type"] == type_]


def _locks(run: runtime.Runtime, overviews: Sequence[overview.Overview], listed: overview.Filter) -> Iterator[Finding]:
    stored = stores.Stores(run.settings, run.tools)
    names = {each.applied.stack: str(each.key) for each in overviews}
    for stack in stored.locked():
        if stack not in names and listed != overview.Filter():
            continue
        for lock in stored.open(stack).held_locks():
            is_dead = lock.is_stale or lock.is_damaged
            resource = names.get(stack, f"stack {stack}")
            since = (
                datetime.datetime.fromtimestamp(lock.taken, datetime.UTC).strftime(" since %Y-%m-%dT%H:%M:%SZ")
                if lock.taken
                else ""
            )
            text = f"locked by {lock}{since}" + (", which does not run any more" if lock.is_stale else "")
            hint = f"planton state unlock --stack {stack}" if is_dead else ""
            yield Finding(
                level=Level.WARNING if is_dead else Level.NOTE, resource=resource, reason="Locked", message=text, hint=hint
            )
