"""What a run left behind, with everything taken out that differs between two runs of the same."""

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
    # The plugin also logs an error, and the explanation then has its text twice.
    (re.compile(r"sdk-v2/\S+: sdk\.helper_schema: .*?: provider=(civo|digitalocean)@[\d.]+; "), ""),
    (re.compile(r"\bplanton-creation:[0-9a-f]{16}\b"), "planton-creation:<id>"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "<address>"),
]
_SECRET = "4dabf18193072939515e22adb298388d"  # Pulumi's sign for "this is a special value"
# The plugins keep rules, tags and taints as sets: rules in an order that differs from run to run, tags by their hashes.
_SETS = {"ingressRules", "egressRules", "rules", "tags", "taints"}
_VARYING = {"created", "modified", "sourcePosition", "stackTrace", "taintedBy"}


def plain(value: Any) -> Any:
    """Return JSON data without ids, times, addresses and ciphertexts."""
    if isinstance(value, dict):
        if str(value.get("path", "")).startswith(("ingressRules[", "egressRules[")):
            return "<rule>"
        if _SECRET in value:
            return "<secret>"
        if "dropletId" in value:
            value = value | {"name": "<node>", "dropletId": "<id>"}
        return {
            plain(key): _sorted(item) if key in _SETS and isinstance(item, list) else plain(item)
            for key, item in sorted(value.items())
            if key not in _VARYING
        }
    if isinstance(value, list | tuple):
        return [found for item in value if (found := plain(item)) != "<rule>"]
    if isinstance(value, str):
        for pattern, instead in _RULES:
            value = pattern.sub(instead, value)
    return value


def _sorted(items: list[Any]) -> list[Any]:
    shown = [
        {name: part for name, part in item.items() if part != ""} if isinstance(item, dict) else item for item in plain(items)
    ]
    return sorted(shown, key=str)


def left(user: official.User, step: Callable[[], Any]) -> dict[str, Any]:
    """Run a step of a user, and return what it printed, which requests it made of the cloud, and the states after it."""
    mark = user.sandbox.control.mark()
    printed = plain(json.loads(_anywhere(json.dumps(step()), user)))
    return {"printed": printed, "requests": requests(user.sandbox.control.requests(mark, user.cloud)), "states": states(user)}


def requests(logged: list[dict[str, Any]]) -> list[str]:
    """Return requests a line each, sorted: the engine makes some at once, and how often a state is asked for is a matter of time."""
    lines = [
        json.dumps(
            [each["agent"], each["method"], each["path"], each["query"], plain(each["body"]), each["status"]], sort_keys=True
        )
        for each in logged
    ]
    counted = collections.Counter(str(plain(line)) for line in lines)
    return sorted(line if '"GET"' in line else f"{count} times {line}" for line, count in counted.items())


def states(user: official.User) -> dict[str, list[Any]]:
    """Return the resources in the states of all stacks."""
    found = {}
    for path in sorted((user.folder / "data" / "state" / ".pulumi" / "stacks").rglob("*.json")):
        latest = json.loads(_anywhere(path.read_text("utf-8"), user))["checkpoint"].get("latest") or {}
        resources = [each for each in latest.get("resources") or [] if each["type"] != "pulumi:pulumi:Stack"]
        found[path.stem] = sorted((plain(each) for each in resources), key=lambda each: each["urn"])
    return found


def _anywhere(text: str, user: official.User) -> str:
    return text.replace(str(user.folder), "<folder>")


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Return a line for each place where two pieces of JSON data differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = sorted({*expected, *found})
        return [line for key in keys for line in differences(expected.get(key, ...), found.get(key, ...), f"{path}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for line in differences(one, other, f"{path}[{number}]")
        ]
    return [] if expected == found else [f"{path}: plugin {expected!r}, stand-in {found!r}"]
