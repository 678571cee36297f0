"""Saved plans: what was planned, as a file, to be applied later and elsewhere exactly as it was seen.

The file holds manifests and the changes that were planned, and no credentials: those are chosen when it is applied.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
import pathlib
import secrets
import time
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

import planton
from planton import errors
from planton.config import folders
from planton.engine import plans
from planton.manifest import load
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planton.deploy import plan as plan_of_run
    from planton.deploy.steps import Step

_VERSION = 5
_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Saved:
    """A saved plan.

    Attributes:
        resources: The resources to apply.
        applied: The plan of each resource, as data.
        pruned: The plan of each resource to destroy, as data.
        origins: The key of each resource to destroy → the folder that it was applied from.
        allow_replace: The consents to replacements, ``KIND/NAME`` or ``ENV/KIND/NAME``.
        allow_unsupported: The fields whose refusal was waived.
        take_over: The consents to taking over resources of other folders.
        created: When it was planned, RFC 3339.
        refresh: Whether the cloud was read first, and must be again.
        autoscalers: The changes of autoscalers in clusters, as data.
        is_signed: Whether it is unchanged since it was written on this machine; otherwise the user must review it again.
    """

    resources: tuple[load.Resource, ...]
    applied: dict[str, Any]
    pruned: dict[str, Any]
    origins: dict[str, str]
    allow_replace: tuple[str, ...]
    allow_unsupported: tuple[str, ...]
    take_over: tuple[str, ...]
    created: str
    refresh: bool
    autoscalers: list[Any] = dataclasses.field(default_factory=list)
    is_signed: bool = False


def write(path: str, plan: plan_of_run.Plan, *, allow_replace: Sequence[str], take_over: Sequence[str], key: bytes) -> None:
    """Writes a plan atomically to a file of mode 0600.

    Args:
        path: The file.
        plan: The plan of an apply.
        allow_replace: The consents to replacements.
        take_over: The consents to taking over resources of other folders.
        key: The key that signs the plan (`signing_key`).

    Raises:
        PlantonError: ``USAGE``: it cannot be written.
    """
    data = {
        "version": _VERSION,
        "planton": planton.__version__,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "resources": [_resource_data(resource) for resource in plan.resources.resources.values()],
        "apply": _by_key(plan.steps),
        "prune": _by_key(plan.pruned),
        "pruneOrigins": {str(key): resource.origin for key, resource in plan.pruned_resources.resources.items()},
        "allowReplace": list(allow_replace),
        "allowUnsupported": list(plan.options.allow_unsupported),
        "takeOver": list(take_over),
        "refresh": plan.options.refresh,
        "autoscalers": [change.as_dict() for change in plan.autoscalers],
    }
    data["digest"] = _digest(data, key)
    try:
        folders.write(pathlib.Path(path), json.dumps(data, indent=1).encode(), mode=0o600)
    except OSError as error:
        raise _unusable(path, f"it cannot be written: {error.strerror}") from None


def _resource_data(resource: load.Resource) -> dict[str, Any]:
    return {
        "manifest": json_format.MessageToDict(resource.manifest),
        "source": resource.source,
        "origin": resource.origin,
        "region": resource.region,
    }


def signing_key(folder: pathlib.Path) -> bytes:
    """Returns the key that signs plans in a data folder; creates it with mode 0600 if there is none.

    Raises:
        PlantonError: ``USAGE``: it is damaged; ``FOLDER_UNWRITABLE``: it cannot be written.
    """
    path = folder / "plan-key"
    if not path.exists():
        folders.keep(path, secrets.token_hex(_KEY_BYTES))
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise errors.usage(
            f"the key that signs saved plans, {path}, is damaged",
            hint=f"remove {path} and create the plan again: planton plan --out creates a new key",
            metadata={"file": str(path)},
        )
    return key


def _digest(data: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, json.dumps(data, sort_keys=True).encode(), "sha256").hexdigest()


def changes(plan: plans.Plan) -> list[Any]:
    """Returns the changes of a plan as JSON data that can be compared."""
    return json.loads(  # type: ignore[no-any-return]  # a list of objects
        json.dumps(
            [
                [
                    change.name,
                    change.type,
                    str(change.action),
                    [[each.path, each.old, each.new] for each in change.differences],
                    change.inputs,
                ]
                for change in plan.changes
            ],
            default=str,
        )
    )


def read(path: str, *, key: bytes) -> Saved:
    """Reads a saved plan.

    Args:
        path: The file.
        key: The key that signs plans here (`signing_key`).

    Raises:
        PlantonError: ``USAGE``: it cannot be read, or is no plan of this version.
    """
    try:
        data: Any = json.loads(pathlib.Path(path).read_text("utf-8"))
        if data["version"] != _VERSION:
            raise _unusable(path, f"it was written by planton {data['planton']}")
        digest = str(data.pop("digest"))
        is_signed = hmac.compare_digest(digest.encode(), _digest(data, key).encode())
        resources = tuple(_resource(entry) for entry in data["resources"])
        return Saved(
            resources,
            dict(data["apply"]),
            dict(data["prune"]),
            {str(key): str(origin) for key, origin in data["pruneOrigins"].items()},
            tuple(data["allowReplace"]),
            tuple(data["allowUnsupported"]),
            tuple(data["takeOver"]),
            str(data["created"]),
            bool(data["refresh"]),
            list(data["autoscalers"]),
            is_signed,
        )
    except OSError as error:
        raise _unusable(path, str(error.strerror), manifests=True) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, json_format.ParseError):
        raise _unusable(path, "it is not a plan that planton plan --out has written", manifests=True) from None


def _resource(entry: Any) -> load.Resource:  # JSON data
    manifest = json_format.ParseDict(entry["manifest"], kinds.get(entry["manifest"]["kind"]).message())
    return load.Resource(manifest, None, str(entry["source"]), str(entry["region"]), origin=str(entry["origin"]))


def check(saved: Saved, plan: plan_of_run.Plan) -> None:
    """Checks that what would happen now is what was planned.

    Raises:
        PlantonError: ``PLAN_STALE``, with what differs.
    """
    current = {"apply": _by_key(plan.steps), "prune": _by_key(plan.pruned)}
    differing = []
    for stage, before in (("apply", saved.applied), ("prune", saved.pruned)):
        keys = sorted(before.keys() | current[stage].keys())
        differing += [
            f"{key}: {_both(before.get(key), current[stage].get(key))}"
            for key in keys
            if before.get(key) != current[stage].get(key)
        ]
    if saved.autoscalers != [change.as_dict() for change in plan.autoscalers]:
        now = "; ".join(map(str, plan.autoscalers)) or "no changes"
        differing.append(f"autoscalers in clusters: planned {_autoscalers(saved)}, now {now}")
    if differing:
        raise errors.plan_stale(
            f"the cloud or the manifests differ from the plan of {saved.created}; nothing was changed:\n  "
            + "\n  ".join(differing),
            hint="plan again (planton plan --out FILE), review the plan, and apply it",
        )


def _by_key(steps: Iterable[Step]) -> dict[str, Any]:
    return {str(step.key): changes(step.plan) for step in steps}


def _autoscalers(saved: Saved) -> str:
    return "; ".join(f"{each['action']} that of {each['cluster']}" for each in saved.autoscalers) or "no changes"


def _both(planned: list[Any] | None, now: list[Any] | None) -> str:
    before, after = _spoken(planned), _spoken(now)
    return f"planned {before}, now {after}" if before != after else f"planned {before}, now the same with other inputs"


def _spoken(planned: list[Any] | None) -> str:
    if planned is None:
        return "nothing"
    parts = [f"{action} {name}" + _paths(differences) for name, _, action, differences, _ in planned]
    return ", ".join(parts) or "no changes"


def _paths(differences: list[Any]) -> str:
    shown = ", ".join(str(plans.Difference(*each)) for each in differences)
    return f" ({shown})" if shown else ""


def _unusable(path: str, why: str, *, manifests: bool = False) -> errors.PlantonError:
    return errors.usage(
        f"cannot use the plan {path}: {why}",
        # Without -f, a manifest is read as a saved plan.
        hint="create one with: planton plan -f DIR --out FILE"
        + (f"; for manifests: planton apply -f {path}" if manifests else ""),
    )
