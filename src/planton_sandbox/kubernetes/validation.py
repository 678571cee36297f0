"""What the API server refuses in the kinds whose behaviour is simulated."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from planton_sandbox.kubernetes import errors, quantities, resources, selectors

Object = dict[str, Any]
Problem = tuple[str, str, str]
_REQUIRED, _INVALID, _UNSUPPORTED = "FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported"
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
MAXIMUM_REPLICAS = 1_000_000


def check(resource: resources.Resource, item: Object, before: Object | None) -> None:
    """Refuses an invalid object.

    Raises:
        errors.ApiError: 422 with every problem.
    """
    problems = [*_metadata(resource, item)]
    rule = _RULES.get(resource.kind)
    if rule is not None:
        problems += rule(item)
    if before is not None:
        problems += _immutable(resource, item, before)
    if problems:
        raise errors.invalid(resource, item["metadata"].get("name", ""), problems)


def _metadata(resource: resources.Resource, item: Object) -> Iterator[Problem]:
    meta = item["metadata"]
    name = meta.get("name", "")
    if not name:
        yield "metadata.name", _REQUIRED, "Required value: name or generateName is required"
    elif resource.group == "rbac.authorization.k8s.io":
        if "/" in name or "%" in name or name in (".", ".."):
            yield "metadata.name", _INVALID, f"Invalid value: {json.dumps(name)}: may not contain '/' or '%'"
    elif len(name) > _LONGEST_NAME or not _SUBDOMAIN.fullmatch(name):
        yield "metadata.name", _INVALID, f"Invalid value: {json.dumps(name)}: {_RULE}"
    yield from _labels(meta.get("labels", {}), "metadata.labels")
    for key in meta.get("annotations", {}):
        if not _is_key(key):
            yield "metadata.annotations", _INVALID, f"Invalid value: {json.dumps(key)}: is not a qualified name"


def _labels(labels: Mapping[str, str], path: str) -> Iterator[Problem]:
    for key, value in labels.items():
        if not _is_key(key):
            yield path, _INVALID, f"Invalid value: {json.dumps(key)}: is not a qualified name"
        if value and (len(value) > _LONGEST_LABEL or not _QUALIFIED.fullmatch(value)):
            rule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'"
            yield path, _INVALID, f"Invalid value: {json.dumps(value)}: {rule}"


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    is_named = len(name) <= _LONGEST_LABEL and _QUALIFIED.fullmatch(name) is not None
    return is_named and (not slash or (len(prefix) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(prefix) is not None))


def _immutable(resource: resources.Resource, item: Object, before: Object) -> Iterator[Problem]:
    for path in _FIXED.get(resource.kind, ()):
        old, new = _at(before, path), _at(item, path)
        if old is not None and old != new:
            yield path, _INVALID, f"Invalid value: {json.dumps(new)}: field is immutable"
    if resource is resources.PODS:
        allowed = ("containers", "initContainers", "tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds")
        for name in sorted(set(before["spec"]) | set(item["spec"])):
            if name not in allowed and before["spec"].get(name) != item["spec"].get(name):
                rule = "pod updates may not change fields other than images, tolerations (only additions) and deadlines"
                yield "spec", "FieldValueForbidden", f"Forbidden: {rule}: {name}"


def _at(item: Object, path: str) -> Any:
    value: Any = item
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _node(item: Object) -> Iterator[Problem]:
    for index, taint in enumerate(item.get("spec", {}).get("taints", [])):
        path = f"spec.taints[{index}]"
        if not _is_key(taint.get("key", "")):
            yield f"{path}.key", _INVALID, f"Invalid value: {json.dumps(taint.get('key', ''))}: is not a qualified name"
        if taint.get("effect") not in EFFECTS:
            offered = ", ".join(f'"{effect}"' for effect in EFFECTS)
            value = json.dumps(taint.get("effect", ""))
            yield f"{path}.effect", _UNSUPPORTED, f"Unsupported value: {value}: supported values: {offered}"


def _pod_spec(spec: Object, path: str) -> Iterator[Problem]:
    if not spec.get("containers"):
        yield f"{path}.containers", _REQUIRED, "Required value"
    for index, container in enumerate(spec.get("containers", [])):
        place = f"{path}.containers[{index}]"
        for name in ("name", "image"):
            if not container.get(name):
                yield f"{place}.{name}", _REQUIRED, "Required value"
        limits, requests = (container.get("resources", {}).get(part, {}) for part in ("limits", "requests"))
        for key in set(limits) & set(requests):
            if quantities.of(requests, key) > quantities.of(limits, key):
                rule = f"must be less than or equal to {key} limit of {limits[key]}"
                yield f"{place}.resources.requests", _INVALID, f'Invalid value: "{requests[key]}": {rule}'
    names = [item.get("name", "") for item in spec.get("containers", [])]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{path}.containers", "FieldValueDuplicate", f"Duplicate value: {json.dumps(name)}"


def _pod(item: Object) -> Iterator[Problem]:
    yield from _pod_spec(item["spec"], "spec")


def _workload(item: Object) -> Iterator[Problem]:
    spec = item["spec"]
    replicas = spec.get("replicas", 0)
    if replicas < 0:
        yield "spec.replicas", _INVALID, f"Invalid value: {replicas}: must be greater than or equal to 0"
    if replicas > MAXIMUM_REPLICAS:
        yield "spec.replicas", _INVALID, f"Invalid value: {replicas}: must be less than or equal to {MAXIMUM_REPLICAS}"
    labels = spec["template"].get("metadata", {}).get("labels", {})
    selector = spec.get("selector")
    if not selector:
        yield "spec.selector", _REQUIRED, "Required value"
    elif not selectors.matches(selector, labels):
        rule = "`selector` does not match template `labels`"
        yield "spec.template.metadata.labels", _INVALID, f"Invalid value: {json.dumps(labels)}: {rule}"
    yield from _labels(labels, "spec.template.metadata.labels")
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")
    rolling = (spec.get("strategy") or spec.get("updateStrategy") or {}).get("rollingUpdate", {})
    for name in ("maxSurge", "maxUnavailable"):
        yield from _amount(rolling.get(name), f"spec.strategy.rollingUpdate.{name}")
    if "strategy" in spec and rolling and all(rolling.get(name) in (0, "0%") for name in ("maxSurge", "maxUnavailable")):
        rule = "may not be 0 when `maxSurge` is 0"
        yield "spec.strategy.rollingUpdate.maxUnavailable", _INVALID, f"Invalid value: 0: {rule}"


def _job(item: Object) -> Iterator[Problem]:
    spec = item["spec"]["template"]["spec"]
    yield from _pod_spec(spec, "spec.template.spec")
    if spec.get("restartPolicy") not in ("OnFailure", "Never"):
        value = json.dumps(spec.get("restartPolicy", ""))
        offered = '"OnFailure", "Never"'
        yield "spec.template.spec.restartPolicy", _UNSUPPORTED, f"Unsupported value: {value}: supported values: {offered}"


def _stateful_set(item: Object) -> Iterator[Problem]:
    yield from _workload(item)
    for index, template in enumerate(item["spec"].get("volumeClaimTemplates", [])):
        path = f"spec.volumeClaimTemplates[{index}]"
        if not template.get("metadata", {}).get("name"):
            yield f"{path}.metadata.name", _REQUIRED, "Required value"
        for field, kind, message in _claim({"spec": {}} | template):
            yield f"{path}.{field}", kind, message


def _amount(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,3}%", value):
        yield (
            path,
            _INVALID,
            f"Invalid value: {json.dumps(value)}: a valid percent string must be a numeric string followed by '%'",
        )
    elif isinstance(value, int) and value < 0:
        yield path, _INVALID, f"Invalid value: {value}: must be greater than or equal to 0"


def _budget(item: Object) -> Iterator[Problem]:
    spec = item.setdefault("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield "spec", _INVALID, f"Invalid value: {json.dumps(spec)}: minAvailable and maxUnavailable cannot be both set"
    for name in ("minAvailable", "maxUnavailable"):
        yield from _amount(spec.get(name), f"spec.{name}")


def _secret(item: Object) -> Iterator[Problem]:
    for key, value in item.get("data", {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            yield f"data[{key}]", _INVALID, 'Invalid value: "<secret contents redacted>": illegal base64 data'


def _claim(item: Object) -> Iterator[Problem]:
    if not item["spec"].get("accessModes"):
        yield "spec.accessModes", _REQUIRED, "Required value: at least 1 access mode is required"
    if "storage" not in item["spec"].get("resources", {}).get("requests", {}):
        yield "spec.resources[storage]", _REQUIRED, "Required value"


def _required(*paths: str) -> Callable[[Object], Iterator[Problem]]:
    def rule(item: Object) -> Iterator[Problem]:
        for path in paths:
            if not _at(item, path):
                yield path, _REQUIRED, "Required value"

    return rule


_RULES: Mapping[str, Callable[[Object], Iterator[Problem]]] = {
    "Node": _node,
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "DaemonSet": _workload,
    "StatefulSet": _stateful_set,
    "PodDisruptionBudget": _budget,
    "Secret": _secret,
    "RoleBinding": _required("roleRef.name"),
    "ClusterRoleBinding": _required("roleRef.name"),
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _required("spec.accessModes", "spec.capacity.storage"),
    "StorageClass": _required("provisioner"),
    "VolumeAttachment": _required("spec.attacher", "spec.nodeName", "spec.source.persistentVolumeName"),
    "Job": _job,
}
_FIXED: Mapping[str, Sequence[str]] = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    "Secret": ("type",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "PersistentVolumeClaim": ("spec.volumeName", "spec.storageClassName", "spec.accessModes"),
    "Node": ("spec.providerID",),
    "StorageClass": ("provisioner", "reclaimPolicy", "volumeBindingMode"),
}
