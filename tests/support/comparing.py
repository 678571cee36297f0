"""The effects of a run, without values that differ between two equal runs."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Callable
from typing import Any

from support import official

_RULES = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\bk3s-(\w+)-[0-9a-f]{4}-(.+?)-node-[0-9a-f]{6}\b"), r"k3s-\1-<id>-\2-node-<id>"),
    (re.compile(r"(?<=-<id>-)[0-9a-f]{8}-[0-9a-f]{3}(?=-node)"), "<id>"),
    (re.compile(r"\bcust-net-[0-9a-f]{8}\b"), "cust-net-<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000 UTC|Z)"), "<time>"),
    # The plugin also logs an error, and the explanation then repeats its text.
    (re.compile(r"sdk-v2/\S+: sdk\.helper_schema: .*?: provider=(civo|digitalocean|google-beta)@[\d.]+; "), ""),
    (re.compile(r"\bplanton-creation:[0-9a-f]{16}\b"), "planton-creation:<id>"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"-[0-9a-f]{8}-grp\b"), "-<id>-grp"),
    (re.compile(r"\boperation-\d+-[0-9a-f-]+"), "<operation>"),
    (re.compile(r"\bLS0tLS1CRU[\w+/=]+"), "<certificate>"),
    (re.compile(r"\bpulumi-gcp/[\w.]+"), "pulumi-gcp/<version>"),
]
_SECRET = "4dabf18193072939515e22adb298388d"  # Pulumi's marker of a special value
# The plugins handle rules, tags and taints as sets: the order of rules varies between runs, and that of tags follows hashes.
_SETS = {"ingressRules", "egressRules", "rules", "tags", "taints", "cidrBlocks"}
# The plugins' plans list more items of these sets than the stand-ins': also those that only move.
_LISTED_ITEMS = ("ingressRules[", "egressRules[", "masterAuthorizedNetworksConfig.cidrBlocks[")
_PLANTON = "Python-urllib/"
# The end of a node's name at DigitalOcean. The rules know Civo's.
_NODE = re.compile(r"-[a-z0-9]{5}$")
_STILL_USED = (403, 409)
# Resources of the engine and of planton's journal, which has times.
_OTHER_TYPES = {"pulumi:pulumi:Stack", "planton:index:Apply"}
_VARYING = {"created", "modified", "sourcePosition", "stackTrace", "taintedBy"}


def plain(value: Any) -> Any:
    """Returns JSON data without IDs, times, addresses and ciphertexts."""
    if isinstance(value, dict):
        if str(value.get("path", "")).startswith(_LISTED_ITEMS):
            return "<rule>"
        if _SECRET in value:
            return "<secret>"
        if "dropletId" in value:
            value = value | {"name": "<node>", "dropletId": "<id>"}
        if isinstance(names := value.get("nodeNames"), list):
            value = value | {"nodeNames": [_NODE.sub("-<id>", name) for name in names]}
        return {
            plain(key): _sorted(item) if key in _SETS and isinstance(item, list) else plain(item)
            for key, item in sorted(value.items())
            if key not in _VARYING
        }
    if isinstance(value, list | tuple):
        return [plain_item for item in value if (plain_item := plain(item)) != "<rule>"]
    if isinstance(value, str):
        for pattern, replacement in _RULES:
            value = pattern.sub(replacement, value)
    return value


def _sorted(items: list[Any]) -> list[Any]:
    normalized = [
        {name: part for name, part in item.items() if part != ""} if isinstance(item, dict) else item for item in plain(items)
    ]
    return sorted(normalized, key=str)


def effects(user: official.User, step: Callable[[], Any]) -> dict[str, Any]:
    """Runs a step of a user, and returns its output, its requests to the cloud, and the states after it."""
    mark = user.sandbox.control.mark()
    printed = plain(json.loads(_anywhere(json.dumps(step()), user)))
    return {"printed": printed, "requests": requests(user.sandbox.control.requests(mark, user.cloud)), "states": states(user)}


def requests(logged: list[dict[str, Any]]) -> list[str]:
    """Returns one line per request, sorted: the engine sends some in parallel, and the number of polls varies."""
    lines = [
        json.dumps(
            [each["agent"], each["method"], each["path"], each["query"], plain(each["body"]), each["status"]], sort_keys=True
        )
        for each in logged
        if not _depends_on_time(each)
    ]
    counted = collections.Counter(str(plain(line)) for line in lines)
    return sorted(line if '"GET"' in line else f"{count} times {line}" for line, count in counted.items())


def _depends_on_time(request: dict[str, Any]) -> bool:
    # planton watches the cloud during a long operation, and the stand-ins do not wait as long as the plugins.
    if request["method"] == "GET":
        return str(request["agent"]).startswith(_PLANTON)
    # Plugins and stand-ins repeat the deletion of a network until the deletion of its cluster ends.
    return request["method"] == "DELETE" and request["status"] in _STILL_USED


def states(user: official.User) -> dict[str, list[Any]]:
    """Returns the resources in the states of all stacks."""
    resources_by_stack = {}
    for path in sorted((user.folder / "data" / "state" / ".pulumi" / "stacks").rglob("*.json")):
        latest = json.loads(_anywhere(path.read_text("utf-8"), user))["checkpoint"].get("latest") or {}
        resources = [each for each in latest.get("resources") or [] if each["type"] not in _OTHER_TYPES]
        resources_by_stack[path.stem] = sorted((plain(each) for each in resources), key=lambda each: each["urn"])
    return resources_by_stack


def _anywhere(text: str, user: official.User) -> str:
    return text.replace(str(user.folder), "<folder>")


def without_others(expected: Any, actual: Any) -> Any:
    """Returns JSON data without the properties that other data lacks, at any depth."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: without_others(value, actual[key]) for key, value in expected.items() if key in actual}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [without_others(*pair) for pair in zip(expected, actual, strict=True)]
    return expected


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Returns a line for each difference between two pieces of JSON data."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = sorted({*expected, *actual})
        return [line for key in keys for line in differences(expected.get(key, ...), actual.get(key, ...), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            line
            for number, (expected_item, actual_item) in enumerate(zip(expected, actual, strict=True))
            for line in differences(expected_item, actual_item, f"{path}[{number}]")
        ]
    return [] if expected == actual else [f"{path}: plugin {expected!r}, stand-in {actual!r}"]
