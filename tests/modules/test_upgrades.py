"""Upgrades: which way a version may go."""

from __future__ import annotations

import pytest

from planton import errors
from planton.modules import upgrades

OFFERED = ("1.34.1-do.0", "1.33.1-do.0", "1.33.0-do.0", "1.32.5-do.0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.33.1-do.0", (1, 33, 1, 0)),
        ("1.30.5-k3s1", (1, 30, 5, 1)),
        ("v1.30.5+k3s12", (1, 30, 5, 12)),
        ("talos-v1.5.0", (1, 5, 0)),
        ("latest", ()),
        ("", ()),
    ],
)
def test_the_numbers_of_a_version(text: str, expected: tuple[int, ...]) -> None:
    """The 3 of k3s is none, and 9 comes before 30."""
    assert upgrades.numbers(text) == expected
    assert sorted(["1.30.0", "1.9.9"], key=upgrades.numbers) == ["1.9.9", "1.30.0"]


@pytest.mark.parametrize(
    ("running", "wanted", "said"),
    [
        ("", "1.33.1-do.0", ""),
        ("1.33.1-do.0", "1.33.1-do.0", ""),
        ("1.33.0-do.0", "1.33.1-do.0", "p: 1.33.0-do.0 → 1.33.1-do.0 is a patch upgrade: "),
        ("1.33.1-do.0", "1.33.1-do.1", "p: 1.33.1-do.0 → 1.33.1-do.1 is a patch upgrade: "),
        ("1.33.1-do.0", "1.34.0-do.0", "p: 1.33.1-do.0 → 1.34.0-do.0 is a minor upgrade: "),
    ],
)
def test_an_upgrade_that_is_allowed_is_told(running: str, wanted: str, said: str) -> None:
    """Nothing is said where nothing changes."""
    note = upgrades.check(running, wanted, OFFERED, path="p")
    assert note.startswith(said)
    assert bool(note) is bool(said)


@pytest.mark.parametrize(
    ("running", "wanted", "offered", "hint"),
    [
        ("1.33.1-do.0", "1.33.0-do.0", OFFERED, "write 1.33.1-do.0, or create a new cluster"),
        ("1.33.1-do.0", "1.32.9-do.0", OFFERED, "write 1.33.1-do.0, or create a new cluster"),
        ("1.32.5-do.0", "1.34.1-do.0", OFFERED, "upgrade to 1.33.1-do.0 first"),
        ("1.32.5-do.0", "1.34.1-do.0", (), "upgrade to 1.33 first"),
        ("1.30.0-do.0", "1.34.1-do.0", OFFERED, "upgrade to 1.31 first"),
        ("1.34.1-do.0", "2.0.0-do.0", OFFERED, "upgrade to 1.35 first"),
    ],
)
def test_an_upgrade_that_is_not_allowed_says_what_is(running: str, wanted: str, offered: tuple[str, ...], hint: str) -> None:
    """Back is no way, and a minor version is not skipped."""
    with pytest.raises(errors.PlantonError, match=wanted) as caught:
        upgrades.check(running, wanted, offered, path="spec.version")
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UPGRADE_REFUSED)
    assert caught.value.message.startswith("spec.version: ")
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(("offered", "listed"), [(("1.9.1", "1.30.5"), "1.30.5, 1.9.1"), ((), "none")])
def test_what_is_offered_is_listed_newest_first(offered: tuple[str, ...], listed: str) -> None:
    """By number, not by letter."""
    error = upgrades.not_offered("1.0", offered, where="here", path="spec.version", provider="civo")
    assert error.message == f"Kubernetes version '1.0' is not offered here; offered: {listed}"
    assert error.reason is errors.Reason.NOT_OFFERED


@pytest.mark.parametrize(
    ("running", "wanted", "targets", "said", "hint"),
    [
        ("1.33.0-do.0", "1.34.1-do.0", None, "is not the newest patch", "upgrade to 1.33.1-do.0 first"),
        ("1.32.4-do.0", "1.34.1-do.0", None, "skips a minor version", "upgrade to 1.32.5-do.0 first"),
        ("1.33.0-do.0", "1.34.1-do.0", ["1.33.1-do.0"], "does not allow", "upgrade to 1.33.1-do.0 first"),
        ("1.33.1-do.0", "1.34.1-do.0", [], "allowed now: none", "write 1.33.1-do.0; the cloud offers no upgrade"),
        ("1.33.1-do.0", "1.34.1-do.0", ["1.34.1-do.0", "1.34.2-do.0"], "", ""),
        ("1.33.1-do.0", "1.34.1-do.0", None, "", ""),
        ("1.33.0-do.0", "1.33.1-do.0", None, "", ""),
    ],
)
def test_a_cloud_may_ask_for_the_newest_patch_first(
    running: str, wanted: str, targets: list[str] | None, said: str, hint: str
) -> None:
    """Where it says for a cluster what is allowed, that decides."""
    refused = upgrades.refusal(running, wanted, OFFERED, patch_first=True, targets=targets)
    assert (refused is not None) is bool(said)
    if refused is not None:
        assert said in refused.text
        assert refused.hint.startswith(hint)
