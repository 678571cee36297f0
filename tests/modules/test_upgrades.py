"""Kubernetes upgrades: allowed and refused versions."""

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
def test_versions_are_parsed_into_numbers(text: str, expected: tuple[int, ...]) -> None:
    """The 3 of k3s is not part of the version. 9 is less than 30."""
    assert upgrades.numbers(text) == expected
    assert sorted(["1.30.0", "1.9.9"], key=upgrades.numbers) == ["1.9.9", "1.30.0"]


@pytest.mark.parametrize(
    ("running", "version", "note_start"),
    [
        ("", "1.33.1-do.0", ""),
        ("1.33.1-do.0", "1.33.1-do.0", ""),
        ("1.33.0-do.0", "1.33.1-do.0", "p: 1.33.0-do.0 → 1.33.1-do.0 is a patch upgrade: "),
        ("1.33.1-do.0", "1.33.1-do.1", "p: 1.33.1-do.0 → 1.33.1-do.1 is a patch upgrade: "),
        ("1.33.1-do.0", "1.34.0-do.0", "p: 1.33.1-do.0 → 1.34.0-do.0 is a minor upgrade: "),
    ],
)
def test_an_allowed_upgrade_is_noted_with_its_size(running: str, version: str, note_start: str) -> None:
    """Without a change there is no note."""
    note = upgrades.check(running, version, OFFERED, path="p")
    assert note.startswith(note_start)
    assert bool(note) is bool(note_start)


@pytest.mark.parametrize(
    ("running", "version", "offered", "hint"),
    [
        ("1.33.1-do.0", "1.33.0-do.0", OFFERED, "write 1.33.1-do.0, or create a new cluster"),
        ("1.33.1-do.0", "1.32.9-do.0", OFFERED, "write 1.33.1-do.0, or create a new cluster"),
        ("1.32.5-do.0", "1.34.1-do.0", OFFERED, "upgrade to 1.33.1-do.0 first"),
        ("1.32.5-do.0", "1.34.1-do.0", (), "upgrade to 1.33 first"),
        ("1.30.0-do.0", "1.34.1-do.0", OFFERED, "upgrade to 1.31 first"),
        ("1.34.1-do.0", "2.0.0-do.0", OFFERED, "upgrade to 1.35 first"),
    ],
)
def test_a_refused_upgrade_names_the_next_allowed_version(
    running: str, version: str, offered: tuple[str, ...], hint: str
) -> None:
    """Downgrades and skipped minor versions are refused."""
    with pytest.raises(errors.PlantonError, match=version) as caught:
        upgrades.check(running, version, offered, path="spec.version")
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UPGRADE_REFUSED)
    assert caught.value.message.startswith("spec.version: ")
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(("offered", "listed"), [(("1.9.1", "1.30.5"), "1.30.5, 1.9.1"), ((), "none")])
def test_offered_versions_are_listed_newest_first(offered: tuple[str, ...], listed: str) -> None:
    """They are compared by number."""
    error = upgrades.not_offered("1.0", offered, where="here", path="spec.version", provider="civo")
    assert error.message == f"Kubernetes version '1.0' is not offered here; offered: {listed}"
    # As of a plan, so that scripts see one code.
    assert (error.code, error.reason) == (errors.Code.INVALID, errors.Reason.NOT_OFFERED)


@pytest.mark.parametrize(
    ("running", "version", "targets", "text", "hint"),
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
def test_a_cloud_can_require_the_newest_patch_first(
    running: str, version: str, targets: list[str] | None, text: str, hint: str
) -> None:
    """If the cloud lists the allowed versions of a cluster, that list decides."""
    refusal = upgrades.refusal(running, version, OFFERED, patch_first=True, targets=targets)
    assert (refusal is not None) is bool(text)
    if refusal is not None:
        assert text in refusal.text
        assert refusal.hint.startswith(hint)
