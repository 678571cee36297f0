"""Violations as SARIF 2.1.0, which code hosts show as annotations on lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib import parse

import planton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton import errors


def dumps(violations: Sequence[errors.Violation], unreadable: Sequence[errors.PlantonError]) -> str:
    """Returns the text of a SARIF log with one run."""
    rules = sorted({violation.rule_id for violation in violations})
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "planton", "version": planton.__version__, "rules": [{"id": rule} for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not unreadable, "toolExecutionNotifications": [_notification(e) for e in unreadable]}
        ],
        "results": [_result(violation, rules.index(violation.rule_id)) for violation in violations],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def _notification(error: errors.PlantonError) -> dict[str, Any]:
    return {"level": "error", "message": {"text": error.message}, "descriptor": {"id": str(error.reason)}}


def _result(violation: errors.Violation, rule_index: int) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(violation.file)}}}
    if violation.line:
        location["physicalLocation"]["region"] = {"startLine": violation.line, "startColumn": max(violation.column, 1)}
    if violation.path:
        location["logicalLocations"] = [{"fullyQualifiedName": violation.path}]
    text = f"{violation.path}: {violation.message}" if violation.path else violation.message
    result: dict[str, Any] = {
        "ruleId": violation.rule_id,
        "ruleIndex": rule_index,
        "level": violation.level,
        "message": {"text": text},
        "locations": [location],
    }
    if violation.target is not None:
        result["relatedLocations"] = [_related(violation.target)]
    if violation.suggestion:
        result["properties"] = {"suggestion": violation.suggestion}
    return result


def _related(target: errors.Target) -> dict[str, Any]:
    name = {"fullyQualifiedName": target.key, "kind": "resource"}
    return {"logicalLocations": [name], "message": {"text": f"{target.key} ({target.place})" if target.place else target.key}}


def _uri(file: str) -> str:
    return "stdin" if file == "-" else parse.quote(file, errors="surrogateescape")
