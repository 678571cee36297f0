"""Texts that several modules and commands share."""

from __future__ import annotations

import base64


def not_installed(application: str, *, when: str = "") -> str:
    """Returns the warning about an application of a cluster that the cloud has not installed.

    Args:
        application: Its name in the cloud's spelling.
        when: How long the cloud had time, for the sentence; empty if unknown.
    """
    return (
        f"spec.applications: {application} is not installed{f' {when}' if when else ''}; the cluster is fine: install the "
        "application yourself, or look at the cloud's dashboard for why"
    )


def base64_of(text: str | None) -> str:
    """Returns a text in base64; empty for None."""
    return base64.b64encode((text or "").encode()).decode()
