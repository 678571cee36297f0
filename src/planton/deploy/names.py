"""Checks against existing resources of an account: names, ranges, and common regions and networks."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from planton.base import ids
from planton.deploy import literals, problems, subjects
from planton.engine import plans
from planton.recovery import guards
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planton.clouds import entries
    from planton.deploy import lists

#: Clouds that refuse a network whose range overlaps another one of the account.


def taken(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    """Yields the names of new resources in the plan that other resources already have."""
    for resource, change in subject.changes.items():
        listed = _listed(subject, change, account) if _gets_name(subject, change) else ()
        if not listed:
            continue
        name = guards.cloud_name(resource, subject.target)
        owners = [each for each in listed if each.name == name and each.id != subject.applied_id and not each.is_being_deleted]
        if owners:
            yield _taken(subject, resource, name, owners, account)


def _gets_name(subject: subjects.Subject, change: plans.Change) -> bool:
    is_main = change.name == subject.kind.main
    if change.action is plans.Action.CREATE:
        return True
    # A replaced or renamed resource has an id. Only a known id distinguishes it from others with its name.
    renamed = any(each.path in ("name", "label") for each in change.differences)
    return is_main and bool(subject.applied_id) and (change.action is plans.Action.REPLACE or renamed)


def _listed(subject: subjects.Subject, change: plans.Change, account: lists.Lists) -> tuple[entries.Entry, ...]:
    resource_type = change.name.partition("-")[0]
    if resource_type in ("network", "firewall", "cluster"):
        return tuple(account.existing(resource_type) or ())
    cluster = _entry(account, "cluster", subject.cluster_id) if resource_type == "node_pool" else None
    return () if cluster is None else cluster.pools


def _entry(account: lists.Lists, resource_type: str, id_: str) -> entries.Entry | None:
    # A placeholder for a resource that does not exist yet is in no list.
    listed = account.existing(resource_type) if id_ and not references.is_unknown(id_) else None
    return next((each for each in listed or () if each.id == id_), None)


def _taken(
    subject: subjects.Subject, resource: str, name: str, owners: list[entries.Entry], account: lists.Lists
) -> problems.Problem:
    metadata = subject.target.metadata
    noun = resource.partition("-")[0].replace("_", " ")
    region = owners[0].region or account.where
    ids = ", ".join(each.id for each in owners)
    hint = f"the {noun} {name} exists with the id {ids}: delete it there, or choose another name"
    if resource == subject.kind.main and len(owners) == 1:
        id_ = f"{subject.cluster_id}:{ids}" if resource == "node_pool" else ids
        command = f"planton import {subject.target.kind}/{metadata.name} {id_} -f {subject.entry.source}"
        hint = f"adopt it: {command}; or choose another name"
    elif noun == kinds.Role.FIREWALL.value and len(owners) == 1:
        hint = f"the firewall {name} exists with the id {ids}: {guards.own_firewall_hint(subject.provider, ids)}"
    return problems.Problem(
        _name_path(subject, resource),
        f"the name {name!r} is taken by another {noun} in {region}: {ids}",
        "cloud.name_free",
        hint,
        {"id": owners[0].id, "region": region},
    )


def _name_path(subject: subjects.Subject, resource: str) -> str:
    pool = subjects.pools(subject.target).get(resource)
    return f"{pool.path}.name" if pool is not None and resource != subject.kind.main else subject.kind.cloud_name_path


def overlaps(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    """Yields the overlap of a new network's range with existing networks of the account.

    If the cloud allows overlaps, it is a note: such networks cannot be connected later.
    """
    if not subject.kind.is_network or not subject.target.spec.ip_range_cidr or not subject.is_new("network"):
        return
    own = _network(subject.target.spec.ip_range_cidr)
    for other in account.existing("network") or () if own is not None else ():
        its = _network(other.cidr)
        if its is None or own is None or other.id == subject.applied_id or other.is_being_deleted or not own.overlaps(its):
            continue
        text = f"{own} overlaps {other.cidr} of the network {other.name} ({other.id})"
        if not subject.kind.cloud.networks.refuses_overlaps:
            account.notes.add(f"! {references.key(subject.target)}: spec.ipRangeCidr: {text}; the two can never be connected")
            continue
        yield problems.Problem("spec.ipRangeCidr", text, "cloud.range_free", "write a range that no network of the account has")


def _network(cidr: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError:
        return None


def places(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    """Yields misplaced dependencies: a network in another region, or a firewall in another network."""
    if not subject.is_new(subject.kind.main):
        return
    by_path = {literal.path: literal for literal in literals.find(subject.entry.manifest)}
    for literal in literals.find(subject.target):
        reference = subject.referenced.get(literal.path)
        if reference is not None:
            yield from _other_region(subject, literal, references.own_region(reference).lower(), str(references.key(reference)))
            continue
        listed = account.existing(literal.resource_type) if literal.path in by_path and ids.is_id(literal.text) else None
        if listed is None:
            continue
        item = next((each for each in listed if each.id == literal.text), None)
        if item is None:
            yield literals.missing(literal, listed, account)
        else:
            yield from _other_region(subject, literal, item.region, item.name)
    yield from _other_network(subject, account)


def _other_region(subject: subjects.Subject, literal: literals.Literal, region: str, name: str) -> Iterator[problems.Problem]:
    own = references.own_region(subject.target).lower()
    if literal.resource_type == "network" and region and own and region != own:
        yield problems.Problem(
            literal.path,
            f"the network {name} is in {region}, and the region of this resource is {own}; both must be in one region",
            "cloud.one_region",
            f"write region: {region}, or name a network in {own}",
        )


def _other_network(subject: subjects.Subject, account: lists.Lists) -> Iterator[problems.Problem]:
    spec: Any = subject.target.spec
    if "firewall" not in spec.DESCRIPTOR.fields_by_name or not spec.HasField("firewall"):
        return
    firewall = _entry(account, "firewall", spec.firewall.value)
    if firewall is not None and firewall.network and firewall.network != spec.network.value:
        yield problems.Problem(
            "spec.firewall",
            f"the firewall {firewall.name} is in the network {firewall.network}, and the cluster in another one",
            "cloud.one_network",
            "name a firewall in the network of the cluster",
        )
