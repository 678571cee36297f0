"""The verbs of the public SDK for states as data: list, show, export, import, forget, move, unlock, migrate. No cloud is read or changed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from planton.deploy import runtime
from planton.state import migration as state_migration
from planton.state import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planton.config import settings as engine_settings


@contextlib.contextmanager
def states(settings: engine_settings.Settings | None = None) -> Iterator[stores.Stores]:
    """Yields the states of a backend.

    Args:
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``TOOLCHAIN_MISSING``; ``EXTRA_MISSING``.
    """
    with runtime.working(settings) as run:
        yield stores.Stores(run.settings, run.tools)


def migration(
    source: stores.Stores, *, backend: str = "", secrets_provider: str = "", passphrase_file: str = ""
) -> state_migration.Migration:
    """Returns a migration of states to another backend, another encryption, or both. Nothing is moved yet.

    Args:
        source: The states.
        backend: The URL of the target; empty for the same backend.
        secrets_provider: The key that encrypts secrets then; empty for a passphrase.
        passphrase_file: The file with the passphrase then; empty for the current one.

    Raises:
        planton.PlantonError: ``USAGE``: nothing would change, or the options contradict each other.
    """
    target = state_migration.target(
        source.settings, backend=backend, secrets_provider=secrets_provider, passphrase_file=passphrase_file
    )
    return state_migration.Migration(source.settings, target, source.tools)
