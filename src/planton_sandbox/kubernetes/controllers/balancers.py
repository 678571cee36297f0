"""Services of type LoadBalancer: the cloud gives them an address."""

from __future__ import annotations

import hashlib
from typing import Any

from planton_sandbox.kubernetes import resources, store
from planton_sandbox.kubernetes.controllers import cycle as cycles

Object = dict[str, Any]
_TYPE = "LoadBalancer"


def run(cycle: cycles.Cycle) -> None:
    """Sets the addresses of load balancers, and removes those of other services."""
    for item in cycle.store.all(resources.SERVICES):
        ingress = [{"ip": _address(item), "ipMode": "VIP"}] if item["spec"].get("type") == _TYPE else []
        balancer = {"ingress": ingress} if ingress else {}
        if (item.get("status") or {}).get("loadBalancer") != balancer:
            cycle.set_status(resources.SERVICES, item, (item.get("status") or {}) | {"loadBalancer": balancer})


def names(kept: store.Store) -> list[str]:
    """Returns the names of the cloud's load balancers, as cloud providers derive them from the service's id."""
    services = [item for item in kept.all(resources.SERVICES) if item["spec"].get("type") == _TYPE]
    return [f"a{item['metadata']['uid'].replace('-', '')}" for item in services]


def _address(item: Object) -> str:
    digest = hashlib.sha256(item["metadata"]["uid"].encode()).digest()
    return f"198.51.100.{digest[0] % 254 + 1}"
