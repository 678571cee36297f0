"""Moving states to another backend, or to another encryption, or both.

A state crosses decrypted, in memory and through pipes, and is encrypted again at its destination. Nothing of the source is
deleted; states that were copied before a fault are detected and skipped.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.config import contexts
from planton.engine import stored
from planton.state import deployments, stores

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.engine import stacks, toolchain

_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def target(
    source: engine_settings.Settings, *, backend: str, secrets_provider: str, passphrase_file: str
) -> engine_settings.Settings:
    """Returns the settings of the states after the migration.

    Args:
        source: Those of now.
        backend: The backend to move to; empty to stay.
        secrets_provider: The key that encrypts secrets then; empty for a passphrase.
        passphrase_file: The file with the passphrase then; empty for that of now.

    Raises:
        PlantonError: ``USAGE``: nothing would change, or the options contradict each other.
    """
    target = contexts.Context("target", backend, "", {}, secrets_provider, passphrase_file)
    contexts.checked(target)
    changed = dataclasses.replace(
        source,
        backend=backend or source.backend_url,
        environ={name: value for name, value in source.environ.items() if name not in _PASSPHRASES or not passphrase_file},
        context=dataclasses.replace(source.context, secrets_provider=secrets_provider, passphrase_file=passphrase_file)
        if passphrase_file or secrets_provider
        else source.context,
    )
    if changed.backend_url == source.backend_url and not passphrase_file and not secrets_provider:
        raise errors.usage(
            "the states are in this backend already",
            hint="name another backend with --to, or another encryption with --passphrase-file or --secrets-provider",
        )
    return changed


class Migration:
    """States on their way from one place or encryption to another."""

    def __init__(
        self, source: engine_settings.Settings, destination: engine_settings.Settings, tools: toolchain.Toolchain
    ) -> None:
        self._source = stores.Stores(source, tools)
        self._target = stores.Stores(destination, tools)
        self._tools = tools
        #: The settings of the states after the migration.
        self.destination = destination
        self._moves = source.backend_url != destination.backend_url

    def move(self, name: stacks.StackName) -> bool:
        """Moves the state of a stack; returns whether there was something to do.

        Raises:
            PlantonError: ``STATE_UNFIT``: its last operation has not ended, or the target has another state of that name;
                ``STACK_LOCKED``; ``CREDENTIAL_MISSING``: a passphrase does not fit.
        """
        with self._source.journal(name).hold("state migrate", self._source.settings):
            if not self._moves and self._is_done(name):
                return False
            self._source.require_clean(name)
            plain = _decrypted(self._source.open(name))
            if self._moves and self._target.open(name).exists():
                if _same(plain, _decrypted(self._target.open(name))):
                    return False
                raise deployments.unfit(
                    f"{self._target.settings.backend_url} has another state of {name}",
                    "inspect it with planton state show --backend; planton state forget removes it there",
                )
            self._arrive(name, plain)
        return True

    def _is_done(self, name: stacks.StackName) -> bool:
        # In one backend, one state cannot be compared with another: how it is encrypted tells.
        encryption = self._source.open(name).export().get("secrets_providers") or {}
        provider = self._target.settings.context.secrets_provider
        if provider or encryption.get("type") != "passphrase":
            return bool(provider and (encryption.get("state") or {}).get("url") == provider)
        try:
            _decrypted(self._target.open(name))
        except errors.PlantonError as error:
            if error.reason is errors.Reason.CREDENTIAL_MISSING:
                return False
            raise
        return True

    def _arrive(self, name: stacks.StackName, plain: dict[str, Any]) -> None:
        if self._moves:
            opened = self._target.open(name)
            opened.ask("stack", "history", "--json", create=True)
            encryption = opened.export().get("secrets_providers")
        else:
            self._source.keep(name, self._source.open(name).export())
            encryption = self._minted(name)
        self._target.open(name).replace_state({**plain, "secrets_providers": encryption})
        if not _same(plain, _decrypted(self._target.open(name))):
            raise errors.engine_failed(
                f"the state of {name} has not arrived as it was sent",
                hint="the state before is whole: in the source, or in the folder backups of the data folder",
            )

    def _minted(self, name: stacks.StackName) -> Any:  # JSON data
        # Only Pulumi can make the salt or the data key of a new encryption; an empty stack elsewhere has one.
        with tempfile.TemporaryDirectory(prefix="planton-") as folder:
            elsewhere = dataclasses.replace(self._target.settings, backend=pathlib.Path(folder).as_uri())
            opened = stored.StoredStack(name, elsewhere, self._tools)
            opened.ask("stack", "history", "--json", create=True)
            return opened.export().get("secrets_providers")


def _decrypted(opened: stored.StoredStack) -> dict[str, Any]:
    return dict(json.loads(opened.ask("stack", "export", "--show-secrets"))["deployment"] or {})


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return bool(old.get("resources") == new.get("resources"))
