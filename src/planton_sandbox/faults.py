"""Faults: rules that make matching requests fail.

A rule counts the requests that it matches and strikes from the n-th on. ``front`` applies a strike to the connection.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import re2  # RE2 matches in linear time and bounded memory, so that no pattern of a client makes the sandbox hang.

STATUS = "status"
TIMEOUT = "timeout"
DROP = "drop"
DROP_AFTER = "drop_after"
SLOW = "slow"
HOLD = "hold"
ACTIONS = (STATUS, TIMEOUT, DROP, DROP_AFTER, SLOW, HOLD)
MAXIMUM_SECONDS = 86400
_LONGEST_PATTERN = 256  # characters
_PATTERN_MEMORY = 1 << 20  # bytes


@dataclasses.dataclass(slots=True)
class Rule:
    """A rule.

    Attributes:
        id: Its number.
        action: One of `ACTIONS`.
        cloud: A cloud's name or ``kubernetes``; empty for all.
        method: An HTTP method; empty for all.
        path: A regular expression of RE2 that matches anywhere in the path.
        account: A token; empty for all.
        nth: The first matching request that it strikes, from 1.
        times: How many requests it strikes; 0 for all that follow.
        status: The status of the answer.
        body: The body of the answer; ``None`` for an error in the cloud's format.
        headers: The headers of the answer, such as ``Retry-After``.
        seconds: For ``slow`` the delay, for ``timeout`` the time without an answer.
        seen: How many requests matched.
        struck: How many requests it struck.
    """

    id: int
    action: str
    cloud: str = ""
    method: str = ""
    path: str = ""
    account: str = ""
    nth: int = 1
    times: int = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    seen: int = 0
    struck: int = 0


@dataclasses.dataclass(slots=True)
class Faults:
    """The rules, in the order in which they were added."""

    rules: list[Rule] = dataclasses.field(default_factory=list)
    last: int = 0

    def add(self, order: Mapping[str, Any]) -> Rule:
        """Adds a rule.

        Raises:
            ValueError: when a field is unknown or its value is invalid.
        """
        fields = {field.name for field in dataclasses.fields(Rule)} - {"id", "seen", "struck"}
        unknown = sorted(set(order) - fields)
        if unknown:
            message = f"unknown field {', '.join(unknown)}; a fault has {', '.join(sorted(fields))}"
            raise ValueError(message)
        if order.get("action") not in ACTIONS:
            message = f"action ({order.get('action')!r}) must be one of {', '.join(ACTIONS)}"
            raise ValueError(message)
        for name, value in order.items():
            if name in _FORMS and not _FORMS[name].is_valid(value):
                message = f"{name} ({value!r}) must be {_FORMS[name].text}"
                raise ValueError(message)
        _compiled(order.get("path", ""))
        self.last += 1
        rule = Rule(id=self.last, **dict(order))
        self.rules.append(rule)
        return rule

    def strike(self, *, cloud: str, method: str, path: str, account: str) -> Rule | None:
        """Counts a request in every rule that matches and returns the first rule that strikes."""
        chosen: Rule | None = None
        for rule in self.rules:
            if not _matches(rule, cloud=cloud, method=method, path=path, account=account):
                continue
            rule.seen += 1
            ready = rule.seen >= rule.nth and (rule.times == 0 or rule.struck < rule.times)
            if ready and chosen is None:
                rule.struck += 1
                chosen = rule
        return chosen

    def holds(self, key: int) -> bool:
        """Returns whether a rule still exists."""
        return any(rule.id == key for rule in self.rules)

    def clear(self, key: int | None = None) -> None:
        """Removes a rule by number, or all rules."""
        self.rules = [] if key is None else [rule for rule in self.rules if rule.id != key]


def _matches(rule: Rule, *, cloud: str, method: str, path: str, account: str) -> bool:
    return (
        rule.cloud in ("", cloud)
        and rule.method.upper() in ("", method)
        and rule.account in ("", account)
        and _matches_path(rule.path, path)
    )


def _matches_path(pattern: str, path: str) -> bool:
    try:
        return _compiled(pattern).search(path) is not None
    except ValueError:
        # The pattern comes from a state file of an earlier release, or the path is not valid Unicode.
        return False


def _compiled(pattern: str) -> Any:
    """Returns a compiled pattern, which RE2 caches.

    Raises:
        ValueError: when it is too long, or not a regular expression of RE2.
    """
    if len(pattern) > _LONGEST_PATTERN:
        message = f"path must have at most {_LONGEST_PATTERN} characters"
        raise ValueError(message)
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        message = f"path is not a regular expression of RE2: {error.args[0].decode(errors='replace')}"
        raise ValueError(message) from error


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """The valid values of a field.

    Attributes:
        text: The description for errors.
        is_valid: Returns whether a value is valid.
    """

    text: str
    is_valid: Callable[[Any], bool]


def _is_number(value: Any, *, least: float, most: float, is_whole: bool = True) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or (is_whole and isinstance(value, float)):
        return False
    # This refuses NaN, too.
    return least <= value <= most


def _is_field(name: Any, value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(name) is not None and all(character.isprintable() for character in value)


_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_TEXT = _Form("a string", lambda value: isinstance(value, str))
_COUNT = 1_000_000_000
_FORMS = {
    "cloud": _TEXT,
    "method": _TEXT,
    "path": _TEXT,
    "account": _TEXT,
    "nth": _Form(f"a number from 1 to {_COUNT}", lambda value: _is_number(value, least=1, most=_COUNT)),
    "times": _Form(f"a number from 0 to {_COUNT}", lambda value: _is_number(value, least=0, most=_COUNT)),
    "status": _Form("a status from 200 to 599", lambda value: _is_number(value, least=200, most=599)),
    "seconds": _Form(
        f"seconds, {MAXIMUM_SECONDS} at most",
        lambda value: _is_number(value, least=0, most=MAXIMUM_SECONDS, is_whole=False),
    ),
    "headers": _Form(
        "an object of names and texts",
        lambda value: isinstance(value, dict) and all(_is_field(name, text) for name, text in value.items()),
    ),
}
