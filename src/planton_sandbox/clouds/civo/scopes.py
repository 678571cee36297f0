"""The scope of a request to the simulated Civo: account, region and time.

Look-ups of an account's resources are here, with the cloud's "not found" errors. Nothing here changes a resource, except that
an account gets its default network when it first uses a region.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import secrets
import uuid
from collections.abc import Callable

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import catalogue, records

SUCCESS = {"result": "success"}


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """The account, region and time of a request, with the cloud's state.

    Attributes:
        reserve_port: Returns a free TCP port for a cluster's Kubernetes API.
    """

    state: records.State
    pace: clock.Pace
    account: records.Account
    region: str
    now: float
    reserve_port: Callable[[], int]

    def networks(self) -> list[records.Network]:
        """Returns the account's networks in the region."""
        return [item for item in self.state.networks if self._owned(item)]

    def firewalls(self) -> list[records.Firewall]:
        """Returns the account's firewalls in the region."""
        return [item for item in self.state.firewalls if self._owned(item)]

    def clusters(self) -> list[records.Cluster]:
        """Returns the account's clusters in the region."""
        return [item for item in self.state.clusters if self._owned(item)]

    def network(self, key: str) -> records.Network:
        """Returns a network by id; an unknown id is refused."""
        network = next((item for item in self.networks() if item.id == key), None)
        if network is None:
            raise _missing(key, code="database_network_not_found", noun="network")
        return network

    def firewall(self, key: str) -> records.Firewall:
        """Returns a firewall by id; an unknown id is refused."""
        firewall = next((item for item in self.firewalls() if item.id == key), None)
        if firewall is None:
            raise _missing(key, code="database_firewall_not_found", noun="firewall")
        return firewall

    def cluster(self, key: str) -> records.Cluster:
        """Returns a cluster by id; an unknown id is refused."""
        cluster = next((item for item in self.clusters() if item.id == key), None)
        if cluster is None:
            raise _missing(key, code="database_kubernetes_cluster_not_found", noun="Kubernetes cluster")
        return cluster

    def pool(self, cluster: records.Cluster, key: str) -> records.Pool:
        """Returns a pool of a cluster by id; an unknown id is refused."""
        pool = next((item for item in cluster.pools if item.id == key), None)
        if pool is None:
            raise _missing(key, code="database_cluster_pool_not_found", noun="cluster pool")
        return pool

    def default_network(self) -> records.Network:
        """Returns the account's default network in the region."""
        return next(item for item in self.networks() if item.default)

    def _owned(self, item: records.Network | records.Firewall | records.Cluster) -> bool:
        return item.account == self.account.id and item.region == self.region


def _missing(key: str, *, code: str, noun: str) -> wire.CloudError:
    return wire.CloudError(404, code=code, reason=f"No {noun} {key!r} was found in this account and region")


def hostname(cluster: records.Cluster, pool: records.Pool) -> str:
    """Returns a host name for a new machine of a pool."""
    name = cluster.name.lower()[:24].rstrip("-.")
    part = pool.id.lower().replace("_", "-").replace(".", "-")[:12].strip("-") or "pool"
    return f"k3s-{name}-{cluster.id[:4]}-{part}-node-{secrets.token_hex(3)}"


def new_id() -> str:
    """Returns a new random id."""
    return str(uuid.uuid4())


def account_for(state: records.State, token: str) -> records.Account:
    """Returns the account of a token; an unknown token of the sandbox creates an account.

    Raises:
        wire.CloudError: 401 when the token is revoked or not a sandbox token.
    """
    present = next((item for item in state.accounts if item.token == token), None)
    if present:
        return present
    if not token.startswith(catalogue.TOKEN_PREFIX) or token in state.revoked_tokens:
        raise wire.CloudError(401, code="authentication_failed", reason="The token is not valid")
    key = new_id()
    account = records.Account(id=key, token=token, email=f"{key[:8]}@sandbox.invalid", limits=dict(catalogue.LIMITS))
    state.accounts.append(account)
    return account


def ensure_default_network(state: records.State, account: records.Account, *, region: str, now: float) -> None:
    """Creates an account's default network in a region, when the account first uses the region."""
    if region in account.regions_seen or catalogue.region(region) is None:
        return
    account.regions_seen.append(region)
    network = records.Network(
        id=new_id(),
        account=account.id,
        region=region,
        label="default",
        name=f"cust-default-{account.id[:8]}",
        default=True,
        cidr="192.168.1.0/24",
        nameservers=["8.8.8.8", "1.1.1.1"],
        created=now,
    )
    state.networks.append(network)
    state.firewalls.append(
        records.Firewall(
            id=new_id(),
            account=account.id,
            region=region,
            network=network.id,
            name="default-default",
            hidden=True,
            rules=default_rules(),
        )
    )


def default_rules() -> list[records.Rule]:
    """Returns the rules of a firewall that was requested without rules: everything is open."""
    everywhere = ["0.0.0.0/0"]
    rows = (
        ("tcp", "1", "65535", "ingress", "All TCP ports open"),
        ("udp", "1", "65535", "ingress", "All UDP ports open"),
        ("icmp", "", "", "ingress", "Ping and traceroute"),
        ("tcp", "1", "65535", "egress", "All TCP ports open"),
        ("udp", "1", "65535", "egress", "All UDP ports open"),
        ("icmp", "", "", "egress", "Ping and traceroute"),
    )
    return [
        records.Rule(
            id=new_id(),
            protocol=protocol,
            start_port=start,
            end_port=end,
            cidr=list(everywhere),
            ports=f"{start}-{end}" if start else "",
            direction=direction,
            action="allow",
            label=label,
        )
        for protocol, start, end, direction, label in rows
    ]


def free_cidr(scope: Scope) -> str:
    """Returns a private range that no network of the account uses in the region."""
    taken = {item.cidr for item in scope.networks()}
    ranges = ipaddress.ip_network("192.168.0.0/16").subnets(new_prefix=24)
    return next(str(candidate) for candidate in list(ranges)[1:] if str(candidate) not in taken)
