"""An account's limits on the simulated Civo, and its usage.

Usage is computed from the resources each time, so it always matches them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.civo import catalogue, records, scopes


def usage(state: records.State, account: records.Account) -> dict[str, int]:
    """Returns the account's usage in all regions, by limit."""
    used = dict.fromkeys(catalogue.LIMITS, 0)
    for cluster in state.clusters:
        if cluster.account == account.id:
            for pool in cluster.pools:
                _add(used, machines(pool.size, count=len(pool.nodes)))
    used["network_count"] = sum(item.account == account.id for item in state.networks)
    used["subnet_count"] = used["network_count"]
    owned = [item for item in state.firewalls if item.account == account.id]
    used["security_group"] = len(owned)
    used["security_group_rule"] = sum(len(item.rules) for item in owned)
    return used


def machines(size: str, *, count: int) -> dict[str, int]:
    """Returns the usage of ``count`` machines of a size."""
    kind = catalogue.size(size)
    if kind is None:
        return {}
    return {
        "instance_count": count,
        "cpu_core": kind.cpu * count,
        "ram_mb": kind.memory * count,
        "disk_gb": kind.disk * count,
        "port_count": count,
    }


def require(scope: scopes.Scope, additions: Iterable[Mapping[str, int]]) -> None:
    """Refuses a request that would exceed a limit.

    Args:
        scope: The scope of the request.
        additions: What the request would add, by limit.

    Raises:
        wire.CloudError: 403 ``quota_limit_reached``. The status 403 is an assumption.
    """
    total = usage(scope.state, scope.account)
    for item in additions:
        _add(total, item)
        for name in item:
            limit = scope.account.limits.get(name, catalogue.LIMITS[name])
            if total[name] > limit:
                reason = f"The quota of {name} is {limit} and this would need {total[name]}"
                raise wire.CloudError(403, code="quota_limit_reached", reason=reason)


def show(scope: scopes.Scope, _request: wire.Request) -> dict[str, Any]:
    """Answers ``GET /v2/quota``."""
    account = scope.account
    body: dict[str, Any] = {
        "id": account.id,
        "default_user_id": account.id,
        "default_user_email_address": account.email,
    }
    for name, used in usage(scope.state, account).items():
        body[f"{name}_limit"] = account.limits.get(name, catalogue.LIMITS[name])
        body[f"{name}_usage"] = used
    return body


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount
