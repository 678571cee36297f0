"""``planton get --all``: the resources of the states and the objects of the NodePool API in one list, with their owner."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import planton
from planton.cli import columns, times
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton import client
    from planton.config import settings as engine_settings

#: The owner of a resource: the API, or the manifest that was applied.
API, MANIFEST = "api", "manifest"
HEADER: Final = ("NAME", "KIND", "OWNER", *columns.HEADER[2:])
WIDE: Final = (*HEADER, *columns.WIDE[len(columns.HEADER) :])
#: The lists of the API: their path, the field of the response, the role of the kind, and the name without such a kind.
_LISTS: Final = (
    ("/api/v1/clusters", "clusters", kinds.Role.CLUSTER, "Cluster"),
    ("/api/v1/nodepools", "nodepools", kinds.Role.NODE_POOL, "NodePool"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A resource with its owner. It has a stack, an object of the API, or both.

    Attributes:
        kind: Its kind.
        name: Its name.
        owner: `API` or `MANIFEST`.
        overview: Its condition in the cloud; None without a stack.
        data: The object, as the API returns it; empty without one.
    """

    kind: str
    name: str
    owner: str
    overview: planton.Overview | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def created(self) -> str:
        """When it was created, RFC 3339; empty if unknown."""
        return self.overview.summary.created if self.overview is not None else str(self.data["created_at"])

    @property
    def desired(self) -> int | None:
        """The desired number of its nodes; None if it has none."""
        return self.overview.summary.desired if self.overview is not None else self.data["spec"].get("nodeCount")

    def row(self) -> tuple[str, ...]:
        """Returns its cells, for `WIDE`. Without a stack, the status is the phase in the API."""
        if self.overview is not None:
            name, kind, *rest = columns.row(self.overview)
            return (name, kind, self.owner, *rest)
        shown = {"NAME": self.name, "KIND": self.kind, "OWNER": self.owner, "STATUS": self.data["status"]["phase"]}
        shown |= {"NODES": "-" if self.desired is None else f"?/{self.desired}", "AGE": times.age(self.created)}
        return tuple(shown.get(name, "-") for name in WIDE)

    def item(self) -> dict[str, Any]:
        """Returns its JSON data: ``owner``, the manifest and ``observed`` of its stack, and ``object``, that of the API."""
        if self.overview is None:
            stacked: dict[str, Any] = {"kind": self.kind, "metadata": {"name": self.name}, "observed": None}
        else:
            stacked = columns.item(self.overview)
        return {"owner": self.owner, **stacked, "object": dict(self.data) or None}


def read(
    listed: planton.Filter, api: client.Transport, *, offline: bool = False, settings: engine_settings.Settings | None = None
) -> list[Entry]:
    """Returns the resources of the states with their owners and objects, then the objects of the API without a stack.

    Args:
        listed: Which resources are listed. Objects have no environment, and no labels of a manifest.
        api: The API. It lists what the caller may read.
        offline: Whether to read no cloud.
        settings: The settings; None for those of the environment.

    Raises:
        ApiError: The server refused.
        PlantonError: The backend failed; ``API_UNREACHABLE``.
    """
    objects = _objects(api)
    stacked = [_with_owner(each, objects) for each in planton.overview(listed, offline=offline, settings=settings)]
    ids = {each.data["id"] for each in stacked if each.data}
    if listed.env or listed.labels or listed.stack:
        return stacked
    names = {kind.name for kind in listed.kinds}
    return [*stacked, *(each for id_, each in objects.items() if id_ not in ids and (not names or each.kind in names))]


def _with_owner(overview: planton.Overview, objects: Mapping[str, Entry]) -> Entry:
    from planton.controllers import manifests  # noqa: PLC0415  # Pulumi takes 100 ms of each `--help`

    key, stack = overview.key, overview.applied.stack
    if stack.project != manifests.PROJECT:
        return Entry(key.kind, key.name, MANIFEST, overview)
    entry = objects.get(manifests.resource_of(stack.stack))
    return Entry(key.kind, key.name, API, overview, entry.data if entry else {})


def _objects(api: client.Transport) -> dict[str, Entry]:
    """Returns the clusters and node pools of the API by id, also those in deletion."""
    from planton.controllers import manifests  # noqa: PLC0415  # Pulumi takes 100 ms of each `--help`

    listed = {}
    for path, field, role, noun in _LISTS:
        for data in api.items(path, field, {"includeDeleting": "true"}):
            kind = manifests.kind_of(role, data["spec"]["platform"]["type"])
            listed[str(data["id"])] = Entry(kind.name if kind else noun, data["name"], API, None, data)
    return listed


def table(entries: Sequence[Entry], *, wide: bool) -> list[str]:
    """Returns the lines of a table."""
    header = WIDE if wide else HEADER
    return columns.table_of([header, *(each.row()[: len(header)] for each in entries)], wide=wide)


SHAPE: Final = columns.Shape(WIDE, Entry.row, Entry.item, lambda each: each.created, lambda each: each.desired)
