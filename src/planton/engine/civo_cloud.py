"""Questions to Civo's API that no plugin answers reliably: whether something is there, what exists, what is offered.

Read only. The engine asks the cloud itself before it believes a plugin that a resource is gone.
"""

from __future__ import annotations

import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from planton import errors

_DEFAULT_ENDPOINT = "https://api.civo.com"
_SECONDS = 30
_NOT_FOUND = 404


@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """An account in a region.

    Attributes:
        token: The API token.
        region: The cloud's code, upper case; empty for questions that need none.
        endpoint: The API's address; empty for the public cloud.
    """

    token: str = dataclasses.field(repr=False)
    region: str
    endpoint: str = ""

    def get(self, path: str) -> Any:  # JSON data
        """Returns the answer to a GET, or None where the cloud says "not found".

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE`` for anything else that is not an answer.
        """
        query = urllib.parse.urlencode({"region": self.region})
        url = f"{(self.endpoint or _DEFAULT_ENDPOINT).rstrip('/')}{path}{'&' if '?' in path else '?'}{query}"
        request = urllib.request.Request(  # the endpoint is checked to be http or https (provider.proto)
            url, headers={"Authorization": f"bearer {self.token}", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code == _NOT_FOUND and "not_found" in text:
                return None
            raise _failed(path, f"{error.code} {text}", auth=error.code in (401, 403)) from None
        except (OSError, ValueError) as error:
            raise _failed(path, str(error), auth=False) from None

    def networks(self) -> list[dict[str, Any]]:
        """Returns the networks: id, label, cidr."""
        return list(self.get("/v2/networks") or [])

    def firewalls(self) -> list[dict[str, Any]]:
        """Returns the firewalls: id, name, network_id."""
        return list(self.get("/v2/firewalls") or [])

    def clusters(self) -> list[dict[str, Any]]:
        """Returns the clusters of all pages: id, name, status, tags."""
        found: list[dict[str, Any]] = []
        page, pages = 1, 1
        while page <= pages:
            answer = self.get(f"/v2/kubernetes/clusters?page={page}&per_page=100") or {}
            found += answer.get("items") or []
            pages = int(answer.get("pages") or 1)
            page += 1
        return found

    def cluster(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools, or None."""
        found: dict[str, Any] | None = self.get(f"/v2/kubernetes/clusters/{urllib.parse.quote(id_, safe='')}")
        return found

    def pool(self, cluster_id: str, pool_id: str) -> dict[str, Any] | None:
        """Returns a pool, or None where it or its cluster is not there."""
        cluster = self.cluster(cluster_id)
        pools = (cluster or {}).get("pools") or []
        return next((pool for pool in pools if pool["id"] == pool_id), None)

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        """Returns whether a resource of a Pulumi type is in the cloud."""
        noun = type_.rsplit(":", 1)[-1]
        if noun == "KubernetesCluster":
            return self.cluster(id_) is not None
        if noun == "KubernetesNodePool":
            return self.pool(cluster_id, id_) is not None
        if noun == "Network":
            # A list may omit one for a moment; "not found" for its id is an answer.
            return self.get(f"/v2/networks/{urllib.parse.quote(id_, safe='')}") is not None
        return any(entry["id"] == id_ for entry in self.firewalls())

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        """Returns the import id of a resource of a Pulumi type by its exact name, or None."""
        noun = type_.rsplit(":", 1)[-1]
        if noun == "KubernetesNodePool":
            return f"{cluster_id}:{name}" if cluster_id and self.pool(cluster_id, name) else None
        listed, field = {
            "KubernetesCluster": (self.clusters, "name"),
            "Network": (self.networks, "label"),
            "Firewall": (self.firewalls, "name"),
        }[noun]
        ids = [str(entry["id"]) for entry in listed() if entry[field] == name]
        return ids[0] if len(ids) == 1 else None

    def names(self, what: str) -> list[str]:
        """Returns the names of all ``network``s, ``firewall``s or ``cluster``s, sorted."""
        if what == "network":
            return sorted(entry["label"] for entry in self.networks())
        if what == "firewall":
            return sorted(entry["name"] for entry in self.firewalls())
        return sorted(entry["name"] for entry in self.clusters())


def of(config: Any, region: str = "") -> Cloud:  # a CivoProviderConfig
    """Returns the cloud of a provider config, in a region or else in the config's default."""
    field = config.DESCRIPTOR.fields_by_name["default_region"]
    default = field.enum_type.values_by_number[config.default_region].name if config.default_region else ""
    return Cloud(config.api_token, (region or default).upper(), config.api_endpoint)


def _failed(path: str, text: str, *, auth: bool) -> errors.PlantonError:
    return errors.PlantonError(
        f"the cloud did not answer GET {path}: {text}",
        code=errors.Code.FAILED,
        reason=errors.Reason.CLOUD_AUTH if auth else errors.Reason.CLOUD_UNREACHABLE,
        hint="check the token and the region" if auth else "check the network and the API address, then try again",
    )
