"""Contexts: named sets of a backend, an environment, accounts and a secrets provider, in a file of the user's config folder.

The settings of a context are defaults: options of a command and environment variables take precedence. Only a credential that it
names takes precedence over a token in the environment, because a context selects an account. It never changes a manifest: its
environment only selects the resource of ``KIND/NAME``.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from typing import TYPE_CHECKING, Any

import platformdirs
import yaml

from planton import errors
from planton.base import suggestions
from planton.config import folders
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The name that means no context.
NONE = "default"
_FILE_VARIABLE = "PLANTON_CONTEXTS"
#: The environment variable with the name of the context. An option takes precedence.
CHOICE_VARIABLE = "PLANTON_CONTEXT"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SECRETS_PROVIDERS = ("awskms", "gcpkms", "azurekeyvault", "hashivault")
_KEYS = {
    "backend": "backend",
    "env": "env",
    "credentials": "credentials",
    "secretsProvider": "secrets_provider",
    "passphraseFile": "passphrase_file",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """The defaults of a command for settings that neither its options nor the environment have.

    Attributes:
        name: Its name; empty for no context.
        backend: URL of the Pulumi backend; empty for the default.
        env: The environment of ``KIND/NAME``; empty for any.
        credentials: Provider → entry of the credentials file.
        secrets_provider: URL of a key in a cloud's key service, for new stacks; empty for a passphrase.
        passphrase_file: The file of the passphrase; empty for the generated one.
        pins: Environment → provider → the entry of the credentials file that the environment is pinned to. They are the user's, and
            the same in every context.
    """

    name: str = ""
    backend: str = ""
    env: str = ""
    credentials: Mapping[str, str] = dataclasses.field(default_factory=dict)
    secrets_provider: str = ""
    passphrase_file: str = ""
    pins: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Returns the settings as data for YAML or JSON, without the name and without unset ones."""
        values = {key: getattr(self, attribute) for key, attribute in _KEYS.items()}
        return {key: dict(value) if key == "credentials" else value for key, value in values.items() if value}


@dataclasses.dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of a user.

    Attributes:
        named: The contexts by name.
        current: The name of the current context; empty for none.
        pins: Environment → provider → the entry of the credentials file that the environment is pinned to.
    """

    named: Mapping[str, Context] = dataclasses.field(default_factory=dict)
    current: str = ""
    pins: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)

    def get(self, name: str) -> Context:
        """Returns the context of a name.

        Raises:
            PlantonError: ``CONTEXT_UNKNOWN``, with the nearest name.
        """
        if name == NONE:
            return Context()
        if name not in self.named:
            raise errors.context_unknown(
                f"unknown context {name!r}; known: {', '.join(sorted(self.named)) or 'none'}",
                hint=suggestions.suggest(name, list(self.named)) or f"planton context create {name} …; planton context list",
                metadata={"context": name},
            )
        return self.named[name]

    def having(self, context: Context) -> Contexts:
        """Returns the contexts with one added, or replaced by name."""
        return dataclasses.replace(self, named={**self.named, context.name: context})

    def without(self, name: str) -> Contexts:
        """Returns the contexts without one. If it was the current one, no context is current.

        Raises:
            PlantonError: ``CONTEXT_UNKNOWN``.
        """
        self.get(name)
        remaining = {other: context for other, context in self.named.items() if other != name}
        return Contexts(remaining, "" if self.current == name else self.current, self.pins)

    def pinning(self, env: str, entries: Mapping[str, str]) -> Contexts:
        """Returns the contexts with an environment pinned to entries of the credentials file, and to nothing else."""
        others = {each: pins for each, pins in self.pins.items() if each != env}
        return dataclasses.replace(self, pins={**others, env: dict(entries)} if entries else others)

    def using(self, name: str) -> Contexts:
        """Returns the contexts with another current one.

        Raises:
            PlantonError: ``CONTEXT_UNKNOWN``.
        """
        self.get(name)
        return dataclasses.replace(self, current="" if name == NONE else name)


def file(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the path of the file: ``$PLANTON_CONTEXTS``, else in the user's config folder."""
    named = environ.get(_FILE_VARIABLE)
    return pathlib.Path(named) if named else platformdirs.user_config_path("planton") / "contexts.yaml"


def read(environ: Mapping[str, str]) -> Contexts:
    """Returns the user's contexts; none if there is no file.

    Raises:
        PlantonError: ``CONTEXT_UNKNOWN``: the file is not in the form that `write` writes.
    """
    path = file(environ)
    try:
        data: Any = yaml.safe_load(path.read_text("utf-8"))
        if data is None:
            # Continuing without a context could use another backend and another account.
            raise ValueError("it is empty")
        named = {str(name): checked(_parsed(str(name), settings)) for name, settings in (data.get("contexts") or {}).items()}
        return Contexts(named, str(data.get("current") or ""), _pins(data.get("pins") or {}))
    except FileNotFoundError:
        return Contexts()
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError, errors.PlantonError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise errors.context_unknown(
            f"cannot use the contexts file {path}: {' '.join(why.split())}",
            hint="restore or correct it; without the file there are no contexts, and planton context create recreates it",
            metadata={"file": str(path)},
        ) from None


def _pins(data: Any) -> dict[str, dict[str, str]]:
    # A pin that is not understood must not be ignored: it protects an account.
    pins = {str(env): {str(cloud): str(entry) for cloud, entry in entries.items()} for env, entries in data.items()}
    for env, entries in pins.items():
        check_pin(env, entries)
    return pins


def check_pin(env: str, entries: Mapping[str, str]) -> None:
    """Checks that a pin names clouds.

    Raises:
        PlantonError: ``USAGE``.
    """
    unknown = sorted(set(entries) - set(providers.names()))
    if not env or unknown:
        why = f"{unknown[0]!r} is not a cloud; the clouds are: {', '.join(providers.names())}" if unknown else "no environment"
        raise errors.usage(why, hint="planton context pin --help")


def _parsed(name: str, settings: Mapping[str, Any]) -> Context:
    unknown = sorted(set(settings) - set(_KEYS))
    if unknown:
        raise ValueError(f"context {name!r} has {', '.join(unknown)}; known: {', '.join(_KEYS)}")
    values: dict[str, Any] = {
        _KEYS[key]: dict(value) if key == "credentials" else str(value) for key, value in settings.items() if value is not None
    }
    return Context(name, **values)


def write(contexts: Contexts, environ: Mapping[str, str]) -> None:
    """Writes the contexts to a file of mode 0600, atomically.

    Raises:
        PlantonError: ``FOLDER_UNWRITABLE``: it cannot be written.
    """
    data = {
        **({"current": contexts.current} if contexts.current else {}),
        "contexts": {name: contexts.named[name].as_dict() for name in sorted(contexts.named)},
        **({"pins": {env: dict(contexts.pins[env]) for env in sorted(contexts.pins)}} if contexts.pins else {}),
    }
    folders.keep(file(environ), yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def checked(context: Context) -> Context:
    """Returns a valid context.

    Raises:
        PlantonError: ``USAGE``: an invalid name, provider or secrets provider.
    """
    unknown = sorted(set(context.credentials) - set(providers.names()))
    scheme = context.secrets_provider.partition("://")[0]
    if not _NAME.fullmatch(context.name) or context.name == NONE:
        why = f"{context.name!r} cannot name a context: letters, digits, '-', '_' and '.', and not {NONE!r}"
    elif unknown:
        why = f"{unknown[0]!r} is not a cloud; the clouds are: {', '.join(providers.names())}"
    elif context.secrets_provider and scheme not in _SECRETS_PROVIDERS:
        why = f"the secrets provider must begin with one of {', '.join(f'{each}://' for each in _SECRETS_PROVIDERS)}"
    elif context.secrets_provider and context.passphrase_file:
        why = "a secrets provider and a passphrase file exclude each other"
    else:
        return context
    raise errors.usage(why, hint="planton context create --help")


def choose(name: str, environ: Mapping[str, str]) -> Context:
    """Returns the context to use: by name, else ``$PLANTON_CONTEXT``, else the current one, else none.

    Raises:
        PlantonError: ``CONTEXT_UNKNOWN``.
    """
    contexts = read(environ)
    chosen = contexts.get(name or environ.get(CHOICE_VARIABLE) or contexts.current or NONE)
    return dataclasses.replace(chosen, pins=contexts.pins)
