"""Firewalls without outbound rules: the nodes of a cluster that uses one reach nothing outside of their network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf import message


def warnings(manifest: message.Message, look_up: Callable[[references.Key], message.Message | None]) -> Iterator[str]:
    """Yields a warning for each firewall of a cluster that blocks all outbound traffic.

    Args:
        manifest: The manifest as it was given.
        look_up: Returns the manifest that a reference refers to.
    """
    if not kinds.get(manifest.DESCRIPTOR.name).is_cluster:
        return
    for reference in references.find(manifest):
        if kinds.get(reference.target.kind).declared.role is not kinds.Role.FIREWALL:
            continue
        firewall: Any = look_up(reference.target)
        if firewall is not None and not firewall.spec.outbound_rules:
            yield (
                f"{reference.path}: {reference.target} has no outboundRules, so nodes reach no registry and cannot join the cluster; "
                "allow outbound tcp, udp and icmp"
            )
