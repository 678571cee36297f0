"""Validators of single values, with the texts of the Terraform SDK's validators."""

from __future__ import annotations

import ipaddress

from planton_sandbox.providers import schema, values


def one_of(*allowed: str, fold: bool = False) -> schema.Validator:
    """Creates a validator that allows these texts only, in any case with ``fold``."""
    listed = " ".join(f'"{item}"' for item in allowed)

    def validate(value: values.Json, path: str) -> schema.Problem:
        fits = value in allowed or (fold and str(value).casefold() in allowed)
        return () if fits else (f"expected {path} to be one of [{listed}], got {value}",)

    return validate


def at_least(least: int) -> schema.Validator:
    """Creates a validator for a lower bound."""
    return lambda value, path: () if value >= least else (f"expected {path} to be at least ({least}), got {value}",)


def not_empty(value: values.Json, path: str) -> schema.Problem:
    """Refuses an empty text, as ``StringIsNotEmpty`` does."""
    return () if value else (f'expected "{path}" to not be an empty string, got {value}',)


def not_zero(value: values.Json, path: str) -> schema.Problem:
    """Refuses an empty text, as ``NoZeroValues`` does."""
    return () if value else (f"{path} must not be empty, got {value}",)


def cidr(value: values.Json, path: str) -> schema.Problem:
    """Refuses an invalid range of addresses."""
    try:
        ipaddress.ip_interface(value)
        valid = "/" in value
    except ValueError:
        valid = False
    return () if valid else (f'expected "{path}" to be a valid CIDR Value, got {value}: invalid CIDR address: {value}',)


EFFECTS = one_of("NoSchedule", "PreferNoSchedule", "NoExecute")
"""Allows the effects of a taint."""
