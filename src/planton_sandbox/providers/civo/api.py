"""The Civo API as the official plugin calls it: headers, look-ups by part of a name, error texts."""

from __future__ import annotations

import dataclasses
import json
import typing
import urllib.parse

from planton_sandbox.providers import sessions, transport, values, waiting

_AGENT = "terraform-provider-civo/dev civogo/v0.3.89"
CLUSTERS, FIREWALLS, NETWORKS = "/v2/kubernetes/clusters", "/v2/firewalls", "/v2/networks"
_REFUSED = 300
_SERVER_ERROR = 500
# The client library's names of the error codes about networks, firewalls, clusters and quotas. The library reports any
# other code as unknown, with the whole answer.
_NAMES: typing.Final = {
    "region_unavailable": "RegionUnavailable",
    "disabled_service": "DisabledServiceError",
    "authentication_failed": "AuthenticationFailedError",
    "authentication_invalid_key": "AuthenticationInvalidKeyError",
    "authentication_access_denied": "AuthenticationAccessDeniedError",
    "cannot_scale_already_rescaling_cluster": "CannotScaleAlreadyRescalingClusterError",
    "database_account_not_found": "DatabaseAccountNotFoundError",
    "database_account_access_denied": "DatabaseAccountAccessDeniedError",
    "database_cluster_pool_instance_not_found": "DatabaseClusterPoolInstanceNotFound",
    "database_cluster_pool_no_sufficient_instances_available": "DatabaseClusterPoolNoSufficientInstancesAvailable",
    "database_cluster_pool_not_found": "DatabaseClusterPoolNotFound",
    "database_firewall_create": "DatabaseFirewallCreateError",
    "database_firewall_delete_failed": "DatabaseFirewallDeleteFailedError",
    "database_firewall_duplicate_name": "DatabaseFirewallDuplicateNameError",
    "database_firewall_exists": "DatabaseFirewallExistsError",
    "database_firewall_mismatch": "DatabaseFirewallMismatchError",
    "database_firewall_not_found": "DatabaseFirewallNotFoundError",
    "database_firewall_rule_create": "DatabaseFirewallRuleCreateError",
    "database_firewall_rule_delete_failed": "DatabaseFirewallRuleDeleteFailedError",
    "database_firewall_rules_find": "DatabaseFirewallRulesFindError",
    "database_firewall_rules_invalid_params": "DatabaseFirewallRulesInvalidParams",
    "database_firewall_save_failed": "DatabaseFirewallSaveFailedError",
    "database_kubernetes_application_invalid_plan": "DatabaseKubernetesApplicationInvalidPlan",
    "database_kubernetes_application_not_found": "DatabaseKubernetesApplicationNotFound",
    "database_kubernetes_cluster_duplicate": "DatabaseKubernetesClusterDuplicate",
    "database_kubernetes_cluster_invalid": "DatabaseKubernetesClusterInvalid",
    "database_kubernetes_cluster_invalid_version": "DatabaseKubernetesClusterInvalidVersionError",
    "database_kubernetes_cluster_no_pools": "DatabaseKubernetesClusterNoPoolsError",
    "database_kubernetes_cluster_not_found": "DatabaseKubernetesClusterNotFound",
    "database_kubernetes_node_not_found": "DatabaseKubernetesNodeNotFound",
    "database_network_create": "DatabaseNetworkCreateError",
    "database_network_delete_last": "DatabaseNetworkDeleteLastError",
    "database_network_delete_with_instance": "DatabaseNetworkDeleteWithInstanceError",
    "database_network_duplicate_name": "DatabaseNetworkDuplicateNameError",
    "database_network_exists": "DatabaseNetworkExistsError",
    "database_network_inuse_by_volumes": "DatabaseNetworkInUseByVolumes",
    "database_network_lookup": "DatabaseNetworkLookupError",
    "database_network_not_found": "DatabaseNetworkNotFoundError",
    "database_network_save": "DatabaseNetworkSaveError",
    "database_networks_list": "DatabaseNetworksListError",
    "database_quota_lock_failed": "DatabaseQuotaLockFailedError",
    "database_quota_not_found": "DatabaseQuotaNotFoundError",
    "database_quota_update": "DatabaseQuotaUpdateError",
    "database_size_not_found": "DatabaseServiceNotFoundError",
    "kubernetes_cluster_invalid_name": "KubernetesClusterInvalidNameError",
    "out_of_capacity": "OutOFCapacityError",
    "parameter_label_invalid": "ParameterLabelInvalidError",
    "parameter_name_invalid": "ParameterNameInvalidError",
    "quota_limit_reached": "QuotaLimitReachedError",
}


class CloudError(sessions.Fault):
    """The cloud refused or could not be reached; the message is the client library's."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


@dataclasses.dataclass(kw_only=True)
class Client:
    """The client of one provider. As in the official plugin, it keeps the region that the last resource named.

    Attributes:
        endpoint: the API's URL, without a slash at its end.
        token: the account's API key.
        region: the region of the requests.
        timing: how it waits; its gate is passed before each request.
    """

    endpoint: str
    token: str
    region: str
    timing: waiting.Timing

    def get(self, path: str) -> values.Json:
        """Sends a GET and returns the decoded answer.

        Raises:
            CloudError: The cloud refused.
        """
        return self._send("GET", f"{path}?{urllib.parse.urlencode({'region': self.region})}", None)

    def delete(self, path: str) -> values.Json:
        """Sends a DELETE; see `get`."""
        return self._send("DELETE", f"{path}?{urllib.parse.urlencode({'region': self.region})}", None)

    def post(self, path: str, body: dict[str, values.Json]) -> values.Json:
        """Sends a POST; see `get`."""
        return self._send("POST", path, body)

    def put(self, path: str, body: dict[str, values.Json]) -> values.Json:
        """Sends a PUT; see `get`."""
        return self._send("PUT", path, body)

    def use_region(self, region: values.Json) -> None:
        """Switches to a resource's region, if it has one."""
        if isinstance(region, str) and region:
            self.region = region

    def _send(self, method: str, path: str, body: dict[str, values.Json] | None) -> values.Json:
        self.timing.gate()
        headers = {
            "User-Agent": _AGENT,
            "Accept": "application/json",
            "Authorization": f"bearer {self.token}",
            "Content-Encoding": "gzip",  # a quirk of the library: the body is not compressed
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        encoded = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        try:
            answer = transport.exchange(method, self.endpoint + path, body=encoded, headers=headers)
        except transport.FAILURES as error:
            raise CloudError(self._unreachable(method, path, error)) from error
        if answer.status >= _REFUSED:
            raise _refusal(answer.status, answer.reason, answer.text)
        try:
            return json.loads(answer.text)
        except ValueError as error:
            raise CloudError(str(error)) from error

    def _unreachable(self, method: str, path: str, error: Exception) -> str:
        if isinstance(error, transport.DROPPED):
            return f'UnknownError: {method.capitalize()} "{self.endpoint}{path}": EOF'
        return "TimeoutError: problem connecting to the API"


def find(
    items: list[values.Json], key_or_part: str, *, keys: tuple[str, ...], fold: tuple[str, ...] = ()
) -> dict[str, values.Json]:
    """Returns the item with a key that equals ``key_or_part``, or the only item with a key that contains it.

    Args:
        items: the listed items.
        key_or_part: an id or a name, or a part of one.
        keys: the keys to compare.
        fold: the keys for which case does not matter.

    Raises:
        CloudError: No item or several items match.
    """

    def text(item: dict[str, values.Json], key: str) -> tuple[str, str]:
        value = str(item.get(key) or "")
        return (value.upper(), key_or_part.upper()) if key in fold else (value, key_or_part)

    exact = [item for item in items if any(left == right for left, right in (text(item, key) for key in keys))]
    if exact:
        return dict(exact[-1])
    partial = [item for item in items if any(right in left for left, right in (text(item, key) for key in keys))]
    if len(partial) > 1:
        raise CloudError(f"MultipleMatchesError: unable to find {key_or_part} because there were multiple matches")
    if not partial:
        raise CloudError(f"ZeroMatchesError: unable to find {key_or_part}, zero matches")
    return dict(partial[0])


def compact(body: dict[str, values.Json]) -> dict[str, values.Json]:
    """Removes empty values, as the library does for optional fields."""
    return {key: value for key, value in body.items() if value}


def _refusal(status: int, reason: str, text: str) -> CloudError:
    line = f"{status} {reason}"
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        undecoded = "failed to decode the response expected from the API"
        return CloudError(f"ResponseDecodeFailed: {undecoded} - status: {line}, code: {status}, reason: {text}")
    if answer.get("status") == _SERVER_ERROR:
        return CloudError("InternalServerError: internal server error")
    if answer.get("result") == "requires_authentication":
        return CloudError("AuthenticationError: authentication error")
    code = str(answer.get("code") or "")
    if code not in _NAMES:
        return CloudError(f"Error: Unknown error response - status: {line}, code: {status}, reason: {text}", code)
    message = str(answer.get("reason") or "")
    if "reason" in answer and "details" in answer:
        message += f", {answer['details']}"
    return CloudError(f"{_NAMES[code]}: {message}", code)
