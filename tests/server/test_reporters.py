"""Controllers report as themselves, little enough to be read by all, in texts that no terminal obeys; both ways."""

from __future__ import annotations

import random

import pytest

from planton_server import auth
from planton_server.service import reporters, reports
from planton_server.store import access


@pytest.fixture
def token(loop, client):
    """Creates tokens of controllers on the client's server."""

    def make(*patterns: str) -> str:
        made = auth.new_token()

        async def put() -> None:
            async with client.server.store.transaction() as transaction:
                values = {"digest": auth.digest(made), "subject": "gcp-controller", "role": "controller", "expires_at": None}
                stored = reporters.stored(patterns) if patterns else None
                await access.put_token(transaction, values | {"created_at": "2026-01-01T00:00:00.000000Z", "reports_as": stored})

        loop.run(put())
        return f"Bearer {made}"

    return make


@pytest.mark.parametrize(
    ("patterns", "name", "status"),
    [
        (("gcp-controller",), "gcp-controller", 200),
        (("gcp-controller",), "aws-controller", 403),
        (("gcp-controller",), "gcp-controller-2", 403),
        (("gcp-*",), "gcp-nodepool-controller", 200),
        (("gcp-*",), "aws-gcp-controller", 403),
        (("a", "*-b"), "x-b", 200),
        ((), "whatever", 200),
    ],
)
def test_a_token_reports_under_its_own_names(client, token, patterns, name, status) -> None:
    """Clusters and node pools alike. One of an older release has none, and reports as any."""
    caller = token(*patterns)
    for resource in (client.cluster(), client.pool()):
        reply = client.report(resource, name, caller=caller, conditions={"Ready": "True"})
        assert reply.status == status
        if status == 403:
            assert (reply.error["code"], name in reply.error["details"]) == ("FORBIDDEN", True)
            assert (
                client.call("GetNodePoolStatus" if "cluster_id" in resource else "GetClusterStatus", id=resource["id"]).body[
                    "controllers"
                ]
                == []
            )


def test_a_name_that_is_not_its_own_says_nothing_of_what_is_there(client, token) -> None:
    """The answer is the same for a resource that is not."""
    missing = {"id": "00000000-0000-4000-8000-000000000000", "generation": 1, "cluster_id": "x"}
    assert client.report(missing, "aws-controller", caller=token("gcp-*")).status == 403


@pytest.mark.parametrize("kind", ["cluster", "pool"])
def test_a_report_has_a_size(client, kind) -> None:
    """Whatever it is that makes it large; one within the limit is taken."""
    resource = getattr(client, kind)()
    for large in (
        {"metadata": {"x": "y" * reports.LIMIT}},
        {"metadata": {f"k{number}": {} for number in range(reports.LIMIT // 4)}},
        {"last_error": {"error_type": "Transient", "message": "m", "details": ["y" * reports.LIMIT]}},
    ):
        reply = client.report(resource, "c", **large)
        assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR"), reply
    assert "65,536 bytes" in client.report(resource, "c", metadata={"x": "y" * reports.LIMIT}).error["details"]
    assert client.report(resource, "c", metadata={"x": "y" * (reports.LIMIT - 1000)}).status == 200


@pytest.mark.parametrize("kind", ["cluster", "pool"])
def test_a_resource_has_so_many_reports(client, kind) -> None:
    """Those who have reported it go on, another one is refused, and a look at its status stays as small as that."""
    resource = getattr(client, kind)()
    large = {"x": "y" * (reports.LIMIT - 1000)}
    for number in range(reports.MOST):
        assert client.report(resource, f"c-{number}", metadata=large).status == 200
    reply = client.report(resource, "one-more", metadata={})
    assert (reply.status, reply.error["code"]) == (409, "CONFLICT")
    assert client.report(resource, "c-0", metadata={"new": True}).status == 200
    shown = client.call("GetClusterStatus" if kind == "cluster" else "GetNodePoolStatus", id=resource["id"]).body
    assert len(shown["controllers"]) == reports.MOST
    assert len(str(shown)) < 2 * reports.MOST * reports.LIMIT


HOSTILE = "\x1b]52;c;ZXZpbA==\x07"


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({"controller": f"c{HOSTILE}"}, "controller_name"),
        ({"conditions": {"Ready": {"type": "Ready", "status": "True", "message": HOSTILE}}}, "conditions[0].message"),
        ({"conditions": {"Ready": {"type": "Ready", "status": "True", "reason": "a\rb"}}}, "conditions[0].reason"),
        ({"conditions": {"Ready": {"type": "R\x9b31m", "status": "True"}}}, "conditions[0].type"),
        ({"last_error": {"error_type": "Transient", "message": "a\x00b"}}, "last_error.message"),
        ({"last_error": {"error_type": "Transient", "error_code": "a\x7fb"}}, "last_error.error_code"),
        ({"last_error": {"error_type": "Transient", "message": "m", "details": [{"a": [HOSTILE]}]}}, None),
        ({"metadata": {"a": {"b": [1, {"c": HOSTILE}]}}}, "metadata"),
        ({"metadata": {HOSTILE: 1}}, "metadata"),
    ],
)
def test_control_characters_are_refused(client, report, field) -> None:
    """Wherever they stand; who shows a report to a person would write them to a terminal."""
    pool = client.pool()
    rest_of_it = {name: value for name, value in report.items() if name != "controller"}
    reply = client.report(pool, report.get("controller", "c"), **rest_of_it)
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    # A rule of the schema says the same of some.
    assert field is None or field in [where for where, _ in reply.rules]
    assert client.call("GetNodePoolStatus", id=pool["id"]).body["controllers"] == []


def test_texts_of_several_lines_are_taken(client) -> None:
    """In any language."""
    text = "first line\n\tsecond line: größer, 大きい, 👍"
    reply = client.report(client.pool(), "c", metadata={"text": text}, last_error={"error_type": "Transient", "message": text})
    assert reply.status == 200


def test_patterns_mean_what_they_say() -> None:
    """For names by chance, as a slow and simple comparison finds it."""

    def simple(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(simple(pattern[1:], name[start:]) for start in range(len(name) + 1))
        return name[:1] == pattern[0] and simple(pattern[1:], name[1:])

    chance = random.Random(1)
    for _ in range(5000):
        pattern = "".join(chance.choice("ab*") for _ in range(chance.randrange(1, 7)))
        name = "".join(chance.choice("ab") for _ in range(chance.randrange(7)))
        assert reporters.includes([pattern], name) is simple(pattern, name), (pattern, name)


def test_a_pattern_of_many_stars_is_matched_at_once() -> None:
    """In steps that grow with its length alone."""
    assert not reporters.includes(["*a" * 126 + "b"], "a" * 253)


@pytest.mark.parametrize("patterns", [[], [""], ["a b"], ["ü"], ["a" * 254], ["a"] * 21, ["a\n"]])
def test_what_is_no_pattern_is_refused(patterns) -> None:
    """When a token is made."""
    with pytest.raises(ValueError, match=r"must be|has 1 to"):
        reporters.checked(patterns)
