"""Reports that xdist can send: it writes UTF-8, which half of a surrogate pair has not, and ends the worker that cannot send one."""

from __future__ import annotations

from typing import Any

import pytest


def printable(data: Any) -> Any:  # data of a report: texts, numbers, lists and mappings
    """Returns data with each lone surrogate written as an escape."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(data, dict):
        return {printable(key): printable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(printable, data))
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Any:  # data of a report
    """Escapes the texts of a report."""
    return printable((yield))


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: Any) -> None:  # warnings.WarningMessage
    """Escapes the text of a warning; one that needs it loses its class."""
    text = str(warning_message.message)
    if (shown := printable(text)) != text:
        warning_message.message, warning_message.category = UserWarning(shown), UserWarning
