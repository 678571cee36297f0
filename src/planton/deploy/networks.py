"""Private networks of a run whose address ranges overlap.

Some clouds refuse overlapping networks in one account. Others accept them, but their machines can never be connected.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf import message

    from planton.manifest import load

_FIELD: Final = "spec.ipRangeCidr"
_RULE: Final = "network.no_overlap"


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """A network with a known range.

    Attributes:
        key: The key of its manifest.
        scope: The scope in which it must not overlap: the cloud, the account and, where networks are regional, the region.
        first: Its first address, as a number.
        last: Its last address.
    """

    key: references.Key
    scope: tuple[str, ...]
    first: int
    last: int


def of(manifest: message.Message) -> Network | None:
    """Returns the network of a valid manifest; None for other kinds, or if the cloud chooses the range."""
    kind = kinds.find(manifest.DESCRIPTOR.name)
    if kind is None or not kind.is_network or not manifest.spec.ip_range_cidr:  # type: ignore[attr-defined]  # networks have it
        return None
    spec: Any = manifest.spec  # type: ignore[attr-defined]  # every manifest has a spec
    region = str(spec.region).lower() if kind.cloud.networks.are_regional else ""
    scope = (kind.provider, references.own_credential(manifest), region)
    # A manifest applied with an earlier release may have host bits.
    cidr = ipaddress.IPv4Network(spec.ip_range_cidr, strict=False)
    return Network(references.key(manifest), scope, int(cidr.network_address), int(cidr.broadcast_address))


def overlaps(networks: Sequence[Network]) -> Iterator[tuple[int, int]]:
    """Yields pairs of positions of overlapping networks, the earlier first. Each network is the later one at most once."""
    ordered = sorted(range(len(networks)), key=lambda index: (networks[index].scope, networks[index].first, index))
    widest: int | None = None
    seen: set[int] = set()
    for index in ordered:
        network = networks[index]
        if widest is not None and networks[widest].scope == network.scope and network.first <= networks[widest].last:
            earlier, later = sorted((index, widest))
            if networks[widest].key != network.key and later not in seen:
                seen.add(later)
                yield earlier, later
            widest = widest if networks[widest].last >= network.last else index
        else:
            widest = index


def violation(first: load.Resource, second: load.Resource) -> errors.Violation:
    """Returns the violation for the second of two overlapping networks: an error if the cloud refuses it, else a warning."""
    key = references.key(first.manifest)
    traits = kinds.get(key.kind).cloud.networks
    ranges = [entry.manifest.spec.ip_range_cidr for entry in (second, first)]  # type: ignore[attr-defined]  # networks have it
    place = first.place(_FIELD)
    text = f"{ranges[0]} overlaps with {ranges[1]} of {key} ({place}): {traits.overlap}"
    overlap = second.violation(_FIELD, text, _RULE, target=errors.Target(str(key), "", place))
    return overlap if traits.refuses_overlaps else dataclasses.replace(overlap, level="warning")


def check(resources: Iterable[load.Resource]) -> None:
    """Checks that the cloud accepts the ranges of all networks of a run.

    Raises:
        InvalidError: ``MANIFEST_INVALID``: every network that overlaps with another, with both places.
    """
    entries = list(resources)
    networks = [(network, entry) for entry in entries if (network := of(entry.manifest)) is not None]
    pairs = overlaps([network for network, _ in networks])
    overlapping = [violation(networks[first][1], networks[second][1]) for first, second in pairs]
    refused = [each for each in overlapping if each.level == "error"]
    if refused:
        raise errors.InvalidError(refused, hint="choose another range, or leave ipRangeCidr out: the cloud picks a free one")
