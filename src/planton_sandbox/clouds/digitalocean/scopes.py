"""The scope of a request to the simulated DigitalOcean: account and time.

Look-ups of an account's resources are here, with the cloud's "not found" errors. Nothing here changes a resource, except that
a new account gets its default VPCs.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import uuid
from collections.abc import Callable
from typing import TypeVar

from planton_sandbox import clock, wire
from planton_sandbox.clouds.digitalocean import catalogue, records

T = TypeVar("T")
_PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# The ranges that the cloud assigns; the default VPCs get the first ones.
_FIRST_RANGE = ipaddress.IPv4Network("10.100.0.0/20")
_LAST_RANGE = ipaddress.IPv4Network("10.200.0.0/20")


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """The account and time of a request, with the cloud's state.

    Attributes:
        base: The scheme and host of the request, for links in answers.
        reserve_port: Returns a free TCP port for a cluster's Kubernetes API.
    """

    state: records.State
    pace: clock.Pace
    account: records.Account
    now: float
    base: str
    reserve_port: Callable[[], int]

    def at(self, moment: float) -> Scope:
        """Returns the same scope at another time, in seconds since the epoch."""
        return dataclasses.replace(self, now=moment)

    def vpcs(self) -> list[records.Vpc]:
        """Returns the account's VPCs."""
        return [item for item in self.state.vpcs if item.account == self.account.id]

    def firewalls(self) -> list[records.Firewall]:
        """Returns the account's firewalls."""
        return [item for item in self.state.firewalls if item.account == self.account.id]

    def all_clusters(self) -> list[records.Cluster]:
        """Returns the account's clusters, including those that are being deleted."""
        return [item for item in self.state.clusters if item.account == self.account.id]

    def clusters(self) -> list[records.Cluster]:
        """Returns the account's clusters that clients can see, without those that are being deleted."""
        return [item for item in self.all_clusters() if item.deleting is None]

    def vpc(self, key: str) -> records.Vpc:
        """Returns a VPC by id; an unknown id is refused."""
        return _first([item for item in self.vpcs() if item.id == key], noun="VPC", key=key)

    def firewall(self, key: str) -> records.Firewall:
        """Returns a firewall by id; an unknown id is refused."""
        return _first([item for item in self.firewalls() if item.id == key], noun="firewall", key=key)

    def cluster(self, key: str) -> records.Cluster:
        """Returns a cluster by id; an unknown id is refused."""
        return _first([item for item in self.clusters() if item.id == key], noun="cluster", key=key)

    def pool(self, cluster: records.Cluster, key: str) -> records.Pool:
        """Returns a pool of a cluster by id; an unknown id is refused."""
        return _first([item for item in cluster.pools if item.id == key], noun="node pool", key=key)

    def node(self, pool: records.Pool, key: str) -> records.Node:
        """Returns a node of a pool by id; an unknown id is refused."""
        return _first([item for item in pool.nodes if item.id == key], noun="node", key=key)

    def default_vpc(self, region: str) -> records.Vpc:
        """Returns the account's default VPC in a region."""
        return next(item for item in self.vpcs() if item.default and item.region == region)


def invalid(reason: str) -> wire.CloudError:
    """Returns the cloud's error for an invalid request."""
    return wire.CloudError(422, code="unprocessable_entity", reason=reason)


def missing(reason: str) -> wire.CloudError:
    """Returns the cloud's error for a missing resource."""
    return wire.CloudError(404, code="not_found", reason=reason)


def new_id() -> str:
    """Returns a new random id."""
    return str(uuid.uuid4())


def account_for(state: records.State, token: str, *, now: float) -> records.Account:
    """Returns the account of a token; an unknown token of the sandbox creates an account.

    Raises:
        wire.CloudError: 401 when the token is revoked or not a sandbox token.
    """
    present = next((item for item in state.accounts if item.token == token), None)
    if present:
        return present
    if not token.startswith(catalogue.TOKEN_PREFIX) or token in state.revoked_tokens:
        raise wire.CloudError(401, code="Unauthorized", reason="Unable to authenticate you")
    key = new_id()
    account = records.Account(id=key, token=token, email=f"{key[:8]}@sandbox.invalid", droplet_limit=catalogue.DROPLET_LIMIT)
    state.accounts.append(account)
    for place in catalogue.REGIONS:
        state.vpcs.append(
            records.Vpc(
                id=new_id(),
                account=key,
                region=place.slug,
                name=f"default-{place.slug}",
                ip_range=free_range([item for item in state.vpcs if item.account == key]),
                created=now,
                default=True,
            )
        )
    return account


def free_range(vpcs: list[records.Vpc]) -> str:
    """Returns a private range that overlaps with none of ``vpcs``."""
    taken = [network(item.ip_range) for item in vpcs]
    first, last = int(_FIRST_RANGE.network_address), int(_LAST_RANGE.network_address)
    candidates = (ipaddress.IPv4Network((number, 20)) for number in range(first, last, _FIRST_RANGE.num_addresses))
    for candidate in candidates:
        if not any(candidate.overlaps(item) for item in taken):
            return str(candidate)
    raise invalid("The account has no free range of private addresses left")


def network(text: str) -> ipaddress.IPv4Network:
    """Returns a private range; an invalid or public one is refused."""
    try:
        parsed = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise invalid(f"{text!r} is not a range of addresses: {error}") from error
    if not any(parsed.subnet_of(private) for private in _PRIVATE):
        raise invalid(f"{text} is not within the private ranges of RFC 1918")
    return parsed


def _first(items: list[T], *, noun: str, key: str) -> T:
    if not items:
        raise missing(f"The {noun} {key} could not be found")
    return items[0]
