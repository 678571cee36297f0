"""Texts that several modules and commands share."""

from __future__ import annotations

import base64
import re


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


def go_duration(text: str) -> str:
    """Returns a duration such as ``90m`` as clouds written in Go report it: ``1h30m0s``; an empty one stays empty."""
    amounts = {unit: int(number) for number, unit in re.findall(r"(\d+)([hms])", text)}
    if not amounts:
        return ""
    minutes, seconds = divmod(amounts.get("h", 0) * 3600 + amounts.get("m", 0) * 60 + amounts.get("s", 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
