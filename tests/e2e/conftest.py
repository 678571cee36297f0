"""Fixtures of the end-to-end tests."""

from support.planton import planton

__all__ = ["planton"]
