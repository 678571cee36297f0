"""Tags of the simulated DigitalOcean.

A tag keeps the spelling of its first use, and names that differ only in case are one tag. Clusters and pools create their
tags; a firewall accepts existing tags only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.digitalocean import droplets, paging, records, scopes

NAME = re.compile(r"^[a-zA-Z0-9:\-_]{1,255}$")
_KINDS = ("droplets", "images", "volumes", "volume_snapshots", "databases")


def listing(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/tags``."""
    return paging.page(request, "tags", [_view(scope, item.name) for item in _all(scope)])


def show(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/tags/{tag}``; the spelling must match exactly."""
    return {"tag": _view(scope, _tag(scope, request.parts["tag"]).name)}


def create(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``POST /v2/tags``; an existing tag is answered like a new one."""
    (name,) = ensure(scope, [str(request.body.get("name") or "")])
    return {"tag": _view(scope, name)}


def delete(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE /v2/tags/{tag}``, which also removes the tag from all resources."""
    tag = _tag(scope, request.parts["tag"])
    scope.state.tags.remove(tag)
    pools = [pool.tags for cluster in scope.all_clusters() for pool in cluster.pools]
    for names in (*pools, *(item.tags for item in scope.all_clusters()), *(item.tags for item in scope.firewalls())):
        names[:] = [name for name in names if name != tag.name]


def ensure(scope: scopes.Scope, names: Sequence[str]) -> list[str]:
    """Returns ``names`` in the spelling of the account's tags, without duplicates; missing tags are created."""
    chosen: dict[str, str] = {}
    for name in names:
        if not NAME.match(name):
            raise scopes.invalid(f"{name!r} is not a tag: only letters, digits, colons, dashes and underscores")
        chosen.setdefault(name.lower(), _spelling(scope, name) or name)
    for name in chosen.values():
        if not _spelling(scope, name):
            scope.state.tags.append(records.Tag(account=scope.account.id, name=name))
    return list(chosen.values())


def existing(scope: scopes.Scope, names: Sequence[str]) -> list[str]:
    """Returns ``names`` in the spelling of the account's tags; an unknown tag is refused."""
    for name in names:
        if not _spelling(scope, name):
            raise scopes.invalid(f"There is no tag {name!r}; a tag must be made before a firewall can have it")
    return ensure(scope, names)


def _all(scope: scopes.Scope) -> list[records.Tag]:
    return [item for item in scope.state.tags if item.account == scope.account.id]


def _tag(scope: scopes.Scope, name: str) -> records.Tag:
    tag = next((item for item in _all(scope) if item.name == name), None)
    if tag is None:
        raise scopes.missing(f"The tag {name} could not be found")
    return tag


def _spelling(scope: scopes.Scope, name: str) -> str:
    return next((item.name for item in _all(scope) if item.name.lower() == name.lower()), "")


def _view(scope: scopes.Scope, name: str) -> dict[str, Any]:
    tagged = droplets.tagged(scope, name)
    uri = {"last_tagged_uri": f"{scope.base}/v2/droplets/{tagged[-1]}"} if tagged else {}
    resources: dict[str, Any] = {"count": len(tagged), **uri}
    for kind in _KINDS:
        resources[kind] = {"count": len(tagged), **uri} if kind == "droplets" else {"count": 0}
    return {"name": name, "resources": resources}
