"""Stack names, from labels or from environment, kind and name."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.engine import stacks
from support import mocks

PREFIX = "pulumi.project-planton.org/"
FQDN = f"{PREFIX}stack.fqdn"
PARTS = {f"{PREFIX}organization": "acme", f"{PREFIX}project": "shop", f"{PREFIX}stack.name": "prod"}


def _name(labels: dict[str, str] | None = None, **metadata: Any) -> stacks.StackName:
    return stacks.name_of(mocks.target("CivoVpc", {}, labels=labels or {}, **metadata))


@pytest.mark.parametrize(
    ("labels", "metadata", "expected"),
    [
        ({}, {"env": "dev", "name": "net"}, "planton/dev.CivoVpc.net"),
        ({}, {"name": "net"}, "planton/default.CivoVpc.net"),
        ({FQDN: "acme/shop/prod"}, {}, "acme/shop/prod"),
        (PARTS, {}, "acme/shop/prod"),
        ({**PARTS, FQDN: "other/shop/prod"}, {}, "other/shop/prod"),
        ({"project-planton.org/provisioner": "PULUMI"}, {"name": "net"}, "planton/default.CivoVpc.net"),
        ({"team": "x"}, {"name": "net"}, "planton/default.CivoVpc.net"),
    ],
)
def test_a_stack_name_comes_from_labels_or_from_environment_kind_and_name(
    labels: dict[str, str], metadata: dict[str, str], expected: str
) -> None:
    """The FQDN label overrides the three labels, and those override the derived name."""
    assert str(_name(labels, **metadata)) == expected


def test_a_qualified_name_has_an_organization_only_if_one_is_set() -> None:
    """A backend without organizations uses the plain stack name."""
    assert _name({}, name="net").qualified == "default.CivoVpc.net"
    assert _name(PARTS).qualified == "acme/shop/prod"


@pytest.mark.parametrize(
    ("labels", "metadata", "message"),
    [
        ({FQDN: "shop/prod"}, {}, "must be organization/project/stack"),
        ({FQDN: "a/b/c/d"}, {}, "must be organization/project/stack"),
        ({FQDN: "a//c"}, {}, "does not fit a stack name"),
        ({f"{PREFIX}project": "shop"}, {}, f"missing: {PREFIX}organization, {PREFIX}stack.name"),
        ({"project-planton.org/provisioner": "terraform"}, {}, "'terraform'; this command provisions with pulumi only"),
        ({}, {"name": ""}, "a CivoVpc has no metadata.name"),
        ({}, {"name": "../../etc"}, "does not fit a stack name"),
        ({}, {"name": "x" * 101}, "does not fit a stack name"),
        ({}, {"env": "a b"}, "does not fit a stack name"),
    ],
)
def test_an_invalid_stack_name_is_an_error(labels: dict[str, str], metadata: dict[str, str], message: str) -> None:
    """No file is ever created with such a name."""
    with pytest.raises(errors.PlantonError) as caught:
        _name(labels, **metadata)
    assert message in caught.value.message
    assert caught.value.code is errors.Code.USAGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dev.CivoVpc.net", stacks.StackName("planton", "dev.CivoVpc.net")),
        ("shop/prod", stacks.StackName("shop", "prod")),
        ("acme/shop/prod", stacks.StackName("shop", "prod", "acme")),
    ],
)
def test_a_displayed_stack_name_can_be_parsed(text: str, expected: stacks.StackName) -> None:
    """Project and organization are optional."""
    assert stacks.parse(text) == expected
    assert stacks.parse(str(expected)) == expected


def test_a_stack_name_without_an_organization_matches_every_organization() -> None:
    """Backends without organizations accept the name `organization`."""
    own, owned = stacks.StackName("shop", "prod"), stacks.StackName("shop", "prod", "acme")
    assert [stacks.parse(text).matches(own) for text in ("shop/prod", "organization/shop/prod", "acme/shop/prod")] == [
        True,
        True,
        False,
    ]
    assert [stacks.parse(text).matches(owned) for text in ("shop/prod", "acme/shop/prod", "other/shop/prod")] == [
        True,
        True,
        False,
    ]
    assert not stacks.parse("shop/dev").matches(own)
