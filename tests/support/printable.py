"""Reports that xdist can send: it writes UTF-8, which cannot encode a lone surrogate, and stops a worker that fails to send."""

from __future__ import annotations

from typing import Any

import pytest


def printable(data: Any) -> Any:  # data of a report: text, numbers, lists and mappings
    """Returns data with each lone surrogate escaped."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(data, dict):
        return {printable(key): printable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(printable, data))
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Any:  # data of a report
    """Escapes the text in a report."""
    return printable((yield))


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: Any) -> None:  # warnings.WarningMessage
    """Escapes the text of a warning, which loses its class if it needs escapes."""
    text = str(warning_message.message)
    if (escaped := printable(text)) != text:
        warning_message.message, warning_message.category = UserWarning(escaped), UserWarning
