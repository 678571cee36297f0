"""Names in the cloud. Two manifests must not claim one resource by using one name in a cluster, network or account."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from google.protobuf import message

    from planton.manifest import load

#: The parts of the scope of a pool whose cluster is a literal: the provider and the text.
_LITERAL = 2
_RULE = "reference.cloud_name_once"
#: The names that mean the account of the environment.
_DEFAULT_ACCOUNTS = ("", references.DEFAULT_CREDENTIAL)


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A name that a manifest claims for a resource in the cloud.

    Attributes:
        noun: The sort of the resource, e.g. ``node pool``.
        scope: The scope in which it must be unique: the account and region, or the cluster.
        name: The name.
        path: The field that sets it.
    """

    noun: str
    scope: tuple[str, ...]
    name: str
    path: str


def claims(manifest: message.Message, lookup: Callable[[references.Key], message.Message | None]) -> list[Claim]:
    """Returns the cloud names that a manifest claims.

    Args:
        manifest: Valid, with defaults.
        lookup: Returns the manifests that it refers to, for their account and region.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    return [
        Claim(noun, (kind.provider, *scope), name, path)
        for noun, scope, name, path in _claims(kind, manifest, _account(manifest, lookup))
    ]


_Claim = tuple[str, tuple[str, ...], str, str]


def _account(manifest: message.Message, lookup: Callable[[references.Key], message.Message | None]) -> tuple[str, str]:
    credential = references.credential(manifest, lookup)
    targets = [each.target for each in references.find(manifest)] if not credential else []
    if targets and lookup(targets[0]) is None:
        # The account is that of the other resource.
        credential = str(targets[0])
    return "" if credential in _DEFAULT_ACCOUNTS else credential, references.region(manifest, lookup)


def _claims(kind: kinds.Kind, manifest: Any, account: tuple[str, str]) -> Iterator[_Claim]:  # a manifest of the kind
    spec, name = manifest.spec, kind.cloud_name(manifest)
    yield kind.noun, _scope_of(kind, manifest, account), name, kind.cloud_name_path
    if kind.declared.own_firewall and not spec.HasField("firewall"):
        yield kinds.Role.FIREWALL.value, account, kind.declared.own_firewall.format(name), kind.cloud_name_path
    if not kind.is_cluster:
        return
    scope = _scope(references.key(manifest))
    if kind.declared.default_pool_name:
        yield kinds.Role.NODE_POOL.value, scope, kind.declared.default_pool_name, "spec.defaultNodePool"
    for index, pool in enumerate(getattr(spec, "additional_node_pools", ())):
        yield kinds.Role.NODE_POOL.value, scope, pool.name, f"spec.additionalNodePools[{index}].name"


def _scope_of(kind: kinds.Kind, manifest: Any, account: tuple[str, str]) -> tuple[str, ...]:  # a manifest of the kind
    if kind.declared.scope is kinds.Scope.ACCOUNT:
        return account[:1]
    if kind.declared.scope is kinds.Scope.REGION:
        return account
    target = next((each.target for each in references.find(manifest) if kinds.is_deleted_with(kind.name, each.target.kind)), None)
    return (kind.cluster_id(manifest),) if target is None else _scope(target)


def _scope(key: references.Key) -> tuple[str, ...]:
    return (key.kind, key.env, key.name)


def violations(manifests: Mapping[references.Key, load.Resource]) -> list[errors.Violation]:
    """Returns a violation for each name that a second manifest or field claims in the same scope, with both places."""

    def lookup(key: references.Key) -> message.Message | None:
        return manifests[key].manifest if key in manifests else None

    # A config that came with a manifest selects the account; two of them may be two accounts.
    by_config: dict[bytes, list[tuple[references.Key, Claim]]] = {}
    for key, entry in manifests.items():
        config = b"" if entry.config is None else entry.config.SerializeToString(deterministic=True)
        by_config.setdefault(config, []).extend((key, claim) for claim in claims(entry.manifest, lookup))
    return [
        violation(manifests[listed[second][0]], listed[second][1], manifests[listed[first][0]], listed[first][1])
        for listed in by_config.values()
        for first, second in twice(listed)
    ]


def check(manifests: Mapping[references.Key, load.Resource]) -> None:
    """Checks that no two resources of a run have one name in the cloud.

    Raises:
        InvalidError: ``REFERENCE_INVALID``, with both places.
    """
    if duplicates := violations(manifests):
        hint = "give each resource its own name, or keep one of the manifests"
        raise errors.InvalidError(duplicates, reason=errors.Reason.REFERENCE_INVALID, hint=hint)


def violation(entry: load.Resource, claim: Claim, other: load.Resource, earlier: Claim) -> errors.Violation:
    """Returns the violation for the second of two claims of one name."""
    owner = references.key(other.manifest)
    place = other.place(earlier.path)
    text = f"{claim.noun} {claim.name!r} is also {earlier.path} of {owner} ({place}): one resource, two owners"
    return entry.violation(claim.path, text, _RULE, target=errors.Target(str(owner), "", place))


def twice(listed: Sequence[tuple[references.Key, Claim]]) -> list[tuple[int, int]]:
    """Returns pairs of claims of one name in one scope, as positions in a list, the first claim first."""
    clusters = {(claim.scope[0], claim.name): (claim.scope[0], *_scope(key)) for key, claim in listed if claim.noun == "cluster"}
    first: dict[tuple[object, ...], int] = {}
    pairs = []
    for index, (_, claim) in enumerate(listed):
        # A literal cluster name means the cluster in these manifests that has the name.
        is_literal = claim.noun == "node pool" and len(claim.scope) == _LITERAL
        scope = clusters.get((claim.scope[0], claim.scope[1]), claim.scope) if is_literal else claim.scope
        earlier = first.setdefault((claim.noun, scope, claim.name), index)
        if earlier != index:
            pairs.append((earlier, index))
    return pairs
