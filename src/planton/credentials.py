"""Credentials: which account an operation uses.

The order is: the file given with ``-p``, the stack input, the credential that the manifest names, the environment, the
credential of the context. The user's credentials file is YAML, mode 0600: a mapping from names to provider configs.
"""

from __future__ import annotations

import pathlib
import stat
from typing import TYPE_CHECKING, Any

import platformdirs
import yaml
from google.protobuf import json_format

from planton import errors, kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

#: The name that means the account of the environment.
DEFAULT = "default"
_FILE_VARIABLE = "PLANTON_CREDENTIALS"
#: Provider → (token, region, API address): the variables that the clouds' own tools read.
_VARIABLES = {
    "civo": (("CIVO_TOKEN",), ("CIVO_REGION",), ("CIVO_API_URL",)),
    "digitalocean": (("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"), ("DIGITALOCEAN_REGION",), ("DIGITALOCEAN_API_URL",)),
}


def file(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the path of the user's credentials file: ``$PLANTON_CREDENTIALS``, else in the user's config folder."""
    named = environ.get(_FILE_VARIABLE)
    return pathlib.Path(named) if named else platformdirs.user_config_path("planton") / "credentials.yaml"


def token_from(provider: str, environ: Mapping[str, str]) -> str:
    """Returns the name of the variable that a cloud's token comes from; empty where none of those that may hold it is set."""
    return next((name for name in _VARIABLES[provider][0] if environ.get(name)), "")


def choose(
    manifest: message.Message,
    *,
    given: message.Message | None,
    region: str,
    environ: Mapping[str, str],
    usual: Mapping[str, str] | None = None,
) -> message.Message:
    """Returns the provider config for a manifest.

    Args:
        manifest: Its kind says which cloud; its ``spec.civo_credential_id`` or its annotation
            ``project-planton.org/credential`` says which entry of the file.
        given: The config of ``-p`` or of a stack input, which goes first; or None.
        region: The region that the manifest's references lead to, or empty; it goes before the config's default.
        environ: The environment.
        usual: Provider → entry of the file to use where neither the manifest nor the environment says which.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``; ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    config: Any = kind.provider_config()
    named = references.credential(manifest, lambda _: None)
    if named in ("", None, DEFAULT):
        named = _usual(kind.provider, environ, usual)
    has_token = given is not None and bool(given.api_token)  # type: ignore[attr-defined]  # both provider configs have it
    if named and not has_token:
        config.CopyFrom(_entry(kind, named, environ))
    if given is not None:
        config.MergeFrom(given)
    _fill(config, kind.provider, environ)
    if region:
        number = _region_number(config, region)
        config.default_region = number or config.default_region
    if not config.api_token:
        variable = _VARIABLES[kind.provider][0][0]
        raise errors.PlantonError(
            f"no credentials for {kind.provider}",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint=f"set {variable}, give a provider config with -p FILE, use a context with a credential, or try it without an "
            'account: eval "$(planton sandbox env)"',
        )
    return config  # type: ignore[no-any-return]  # its class is found by name


def _usual(provider: str, environ: Mapping[str, str], usual: Mapping[str, str] | None) -> str:
    in_environment = any(environ.get(name) for name in _VARIABLES[provider][0])
    return "" if in_environment else (usual or {}).get(provider, "")


def from_environment(provider: str, environ: Mapping[str, str], usual: Mapping[str, str] | None = None) -> message.Message:
    """Returns the provider config that no manifest has a say in; fields that nothing says are unset.

    Args:
        provider: The cloud.
        environ: The environment.
        usual: As for `choose`.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``; ``CREDENTIAL_INVALID``.
    """
    kind = next(kind for kind in kinds.all_kinds() if kind.provider == provider)
    named = _usual(provider, environ, usual)
    config: message.Message = _entry(kind, named, environ) if named else kind.provider_config()
    _fill(config, provider, environ)
    return config


def _fill(config: Any, provider: str, environ: Mapping[str, str]) -> None:  # two classes with the same fields
    tokens, regions, endpoints = ([environ[name] for name in names if environ.get(name)] for names in _VARIABLES[provider])
    if not config.api_token and tokens:
        config.api_token = tokens[0]
    if not config.default_region and regions:
        config.default_region = _region_number(config, regions[0])
    if not config.api_endpoint and endpoints:
        config.api_endpoint = endpoints[0].rstrip("/")
    if not all("!" <= character <= "~" for character in config.api_token):
        # No request could carry it, and what fails then would say so of a codec.
        raise errors.PlantonError(
            f"the token for {provider} has characters that no token has: spaces, or others than ASCII's",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_INVALID,
            hint=f"copy it once more, whole and alone; it comes from {_VARIABLES[provider][0][0]}, a credentials file or -p FILE",
        )


def _region_number(config: Any, name: str) -> int:
    value = config.DESCRIPTOR.fields_by_name["default_region"].enum_type.values_by_name.get(name.lower())
    return value.number if value is not None else 0


def _entry(kind: kinds.Kind, name: str, environ: Mapping[str, str]) -> message.Message:
    path = file(environ)
    entries = _entries(path)
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise errors.PlantonError(
            f"unknown credential {name!r}; known in {path}: {known}",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_UNKNOWN,
            hint=f"add it to {path}, name a known one, or write {DEFAULT!r} to use the environment's",
            metadata={"credential": name, "file": str(path)},
        )
    config: message.Message = kind.provider_config()
    try:
        json_format.ParseDict({key: value for key, value in entries[name].items() if key != "provider"}, config)
    except (json_format.ParseError, AttributeError):
        # The parser's text may show a token, so it is not passed on.
        fields = ", ".join(field.json_name for field in config.DESCRIPTOR.fields)
        raise _unreadable(path, f"entry {name!r} must have only these fields, all text: {fields}") from None
    return config


def _entries(path: pathlib.Path) -> dict[str, dict[str, Any]]:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _unreadable(path, "other users may read it; run: chmod 600 " + str(path))
        entries = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(path, f"it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError):
        # The parser's text may show a token, so it is not passed on.
        raise _unreadable(path, "it is not YAML") from None
    if entries is None:
        raise _unreadable(path, "it is empty")
    if not isinstance(entries, dict):
        raise _unreadable(path, "it must be a mapping from names to provider configs")
    return entries


def _unreadable(path: pathlib.Path, why: str) -> errors.PlantonError:
    return errors.PlantonError(
        f"cannot use the credentials file {path}: {why}",
        code=errors.Code.MISSING,
        reason=errors.Reason.CREDENTIAL_UNKNOWN,
        hint="correct the file or restore it from a backup (docs/credentials.md), or set the variables of the cloud",
        metadata={"file": str(path)},
    )
