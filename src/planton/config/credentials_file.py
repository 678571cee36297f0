"""The user's credentials file: named provider configs. Errors never contain a value of it."""

from __future__ import annotations

import json
import pathlib
import stat
from typing import TYPE_CHECKING, Any

import platformdirs
import yaml
from google.protobuf import json_format

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.schema import kinds

_FILE_VARIABLE = "PLANTON_CREDENTIALS"
#: The key of an added entry in the environment of a run. No shell can set a variable of this name, and no program gets it.
_ADDED = "planton credential entry"


def path(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the path of the user's credentials file: ``$PLANTON_CREDENTIALS``, else in the user's config folder."""
    named = environ.get(_FILE_VARIABLE)
    return pathlib.Path(named) if named else platformdirs.user_config_path("planton") / "credentials.yaml"


def with_entry(environ: Mapping[str, str], provider: str, name: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment with an entry that takes precedence over those of the file.

    Args:
        environ: The environment of a run.
        provider: The cloud of the entry.
        name: The name of the entry.
        fields: Its fields.
    """
    return {**environ, _ADDED: json.dumps([provider, name, dict(fields)])}


def entry(kind: kinds.Kind, name: str, environ: Mapping[str, str]) -> message.Message:
    """Returns the provider config of an entry.

    Args:
        kind: A kind of the cloud.
        name: The name of the entry.
        environ: The environment of the run.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``: there is no such entry, or the file cannot be used.
    """
    added = json.loads(environ.get(_ADDED, "null"))
    if added is not None and added[:2] == [kind.provider, name]:
        return parsed(kind, added[2], source=f"credential {name} of the API")
    file = path(environ)
    entries = _entries(file)
    if name not in entries:
        names = ", ".join(sorted(entries)) or "none"
        raise errors.credential_unknown(
            f"unknown credential {name!r}; {file} has: {names}",
            hint=f"add it to {file}, name one of these, or write 'default' for the account of the context or the environment",
            metadata={"credential": name, "file": str(file)},
        )
    return parsed(kind, entries[name], source=f"the credentials file {file}, entry {name!r}")


def parsed(kind: kinds.Kind, fields: Any, *, source: str) -> message.Message:  # what an entry contains
    """Returns the provider config with the fields of an entry.

    Args:
        kind: A kind of the cloud.
        fields: The content of the entry.
        source: What has it, for the error.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``: the cloud has no such fields, or a value is no text.
    """
    config: message.Message = kind.provider_config()
    try:
        json_format.ParseDict({key: value for key, value in fields.items() if key != "provider"}, config)
    except (json_format.ParseError, AttributeError):
        # The parser's text may contain a token, so the error does not include it.
        allowed = ", ".join(field.json_name for field in config.DESCRIPTOR.fields)
        raise _unusable(source, f"it must have only these fields, all text: {allowed}") from None
    return config


def _entries(file: pathlib.Path) -> dict[str, dict[str, Any]]:
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise _unreadable(file, "other users may read it; run: chmod 600 " + str(file))
        entries = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(file, f"it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError):
        # The parser's text may contain a token, so the error does not include it.
        raise _unreadable(file, "it is not YAML") from None
    if entries is None:
        raise _unreadable(file, "it is empty")
    if not isinstance(entries, dict):
        raise _unreadable(file, "it must be a mapping from names to provider configs")
    return entries


def _unreadable(file: pathlib.Path, why: str) -> errors.PlantonError:
    return _unusable(f"the credentials file {file}", why, file=str(file))


def _unusable(source: str, why: str, **metadata: str) -> errors.PlantonError:
    return errors.credential_unknown(
        f"cannot use {source}: {why}",
        hint="correct it, or restore it from a backup (docs/use/credentials.md), or set the variables of the cloud",
        metadata=metadata,
    )
