"""Why a controller acts."""

from __future__ import annotations

import enum


class Cause(enum.StrEnum):
    """Why a controller acts, as its audit shows it."""

    SPEC_CHANGE = "SpecChange"
    DELETION = "Deletion"
    ROLLOUT = "Rollout"
    """A step of a rolling replacement, which a changed spec needs."""
    DRIFT_REPAIR = "DriftRepair"
    AUTOSCALING = "Autoscaling"
    REMEDIATION = "Remediation"
    """A node was not ready for too long."""
    DRAIN_CANCELLED = "DrainCancelled"
    """Nodes need not leave any longer."""
