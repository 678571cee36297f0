"""The accounts that an operation uses and bills, for plans, consents and JSON. Nothing here holds a token."""

from __future__ import annotations

import dataclasses
import urllib.parse
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.config import contexts, credentials, credentials_file
from planton.schema import kinds, references

if TYPE_CHECKING:
    from google.protobuf import message

    from planton.config import settings as engine_settings


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Account:
    """An account at a cloud, and how it was chosen.

    Attributes:
        provider: The cloud.
        context: The context in use; empty for none.
        source: The source of the token, e.g. ``CIVO_TOKEN`` or ``credential acme``.
        endpoint: The address of the API.
        is_sandbox: Whether that is the sandbox of this machine.
        ignored: A variable with a token that is ignored because the context names a credential; empty if there is none.
    """

    provider: str
    context: str
    source: str
    endpoint: str
    is_sandbox: bool
    ignored: str = ""

    def __str__(self) -> str:
        """Returns the account in one line."""
        context = [f"context {self.context}"] if self.context else []
        line = ", ".join([self.provider, *context, self.source, self.endpoint])
        line += " (sandbox)" if self.is_sandbox else ""
        return line + (f"; {self.ignored} is ignored" if self.ignored else "")

    def as_dict(self) -> dict[str, Any]:
        """Returns the account as JSON data."""
        return {
            "provider": self.provider,
            "context": self.context,
            "source": self.source,
            "endpoint": self.endpoint,
            "sandbox": self.is_sandbox,
            "ignored": self.ignored,
        }


def of(
    target: message.Message,
    *,
    override: message.Message | None,
    config: message.Message,
    settings: engine_settings.Settings,
) -> Account:
    """Returns the account of a manifest.

    Args:
        target: The manifest.
        override: The provider config of ``-p`` or of a stack input, or None.
        config: The provider config that was chosen.
        settings: The run's settings.
    """
    chosen = credentials.source(target, override=override, environ=settings.environ, usual=settings.context.credentials)
    return Account(
        kinds.get(target.DESCRIPTOR.name).provider,
        settings.context.name,
        chosen.text,
        _shown(clouds.of(config).address),
        credentials.is_sandbox(config, settings.environ),
        chosen.ignored,
    )


def check_pin(target: message.Message, config: message.Message, settings: engine_settings.Settings) -> None:
    """Checks that a manifest is used with the account that its environment is pinned to.

    Args:
        target: The manifest.
        config: The provider config that was chosen.
        settings: The run's settings, whose context has the pins of the user.

    Raises:
        PlantonError: ``ACCOUNT_REFUSED``; ``CREDENTIAL_UNKNOWN``: the entry of the pin does not exist.
    """
    kind = kinds.get(target.DESCRIPTOR.name)
    env = target.metadata.env or contexts.NONE  # type: ignore[attr-defined]  # every manifest has metadata
    name = settings.context.pins.get(env, {}).get(kind.provider)
    if name is None:
        return
    pinned = credentials_file.entry(kind, name, settings.environ)
    same_address = not getattr(pinned, "api_endpoint", "") or clouds.of(pinned).address == clouds.of(config).address
    if credentials.secrets(pinned) == credentials.secrets(config) and same_address:
        return
    raise errors.PlantonError(
        f"the environment {env!r} is pinned to the credential {name} of {kind.provider}, and this would use another account; "
        "nothing was changed",
        reason=errors.Reason.ACCOUNT_REFUSED,
        hint=f"use that account (--context, or the annotation {references.CREDENTIAL_ANNOTATION}: {name}), or remove the pin: "
        f"planton context unpin {env}",
        metadata={"env": env, "credential": name, "provider": kind.provider},
    )


def _shown(address: str) -> str:
    # An address may contain the password of a proxy.
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
