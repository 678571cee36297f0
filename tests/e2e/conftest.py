"""Fixtures of the end-to-end tests, which all start Pulumi."""

import pathlib

import pytest

from support.planton import planton

__all__ = ["planton"]

FOLDER = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Marks what is below this folder."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.pulumi)
