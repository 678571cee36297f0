"""Credentials: which account an operation uses.

The order of precedence is: the file of ``-p``, the stack input, the credential that the manifest names, the credential of the
context, the environment. The user's credentials file is YAML, mode 0600: a mapping from names to provider configs.

A sandbox token is sent to this machine only. A credential is sent to the sandbox only if its ``api_endpoint`` names it.
"""

from __future__ import annotations

import dataclasses
import pathlib
import stat
import urllib.parse
from typing import TYPE_CHECKING, Any

import platformdirs
import yaml
from google.protobuf import json_format

from planton import errors
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

#: The name that means the account of the context, else of the environment.
DEFAULT = "default"
_FILE_VARIABLE = "PLANTON_CREDENTIALS"
#: Set by ``planton sandbox env``: the addresses of this shell are the sandbox's.
SANDBOX_VARIABLE = "PLANTON_SANDBOX"
#: The prefix of every sandbox token; no cloud issues such a token.
_SANDBOX_TOKEN = "sandbox-"  # noqa: S105  # a public constant of the sandbox
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


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """The source of an account's token.

    Attributes:
        variable: The environment variable; empty for another source.
        credential: The entry of the credentials file; empty for another source.
        ignored: A variable with a token that is ignored because the context names a credential; empty if there is none.
    """

    variable: str = ""
    credential: str = ""
    ignored: str = ""

    @property
    def text(self) -> str:
        """The source as a few words, e.g. ``CIVO_TOKEN`` or ``credential acme``."""
        return self.variable or (f"credential {self.credential}" if self.credential else "given provider config")


def choose(
    manifest: message.Message,
    *,
    given: message.Message | None,
    region: str,
    environ: Mapping[str, str],
    usual: Mapping[str, str] | None = None,
    with_file: bool = True,
) -> message.Message:
    """Returns the provider config for a manifest.

    Args:
        manifest: Its kind says which cloud; its ``spec.civo_credential_id`` or its annotation
            ``project-planton.org/credential`` says which entry of the file.
        given: The config of ``-p`` or of a stack input, which takes precedence; or None.
        region: The region of the manifest's references, or empty; it takes precedence over the config's default.
        environ: The environment.
        usual: Provider → entry of the file that the context names; it takes precedence over the environment.
        with_file: Whether the command takes ``-p``, for the hint of an error.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``; ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    config, _ = _chosen(kind, _named(manifest, usual), given, environ)
    if region:
        number = _region_number(config, region)
        config.default_region = number or config.default_region
    if not config.api_token:
        raise missing(kind.provider, with_file=with_file)
    return config  # type: ignore[no-any-return]  # its class is found by name


def source(
    manifest: message.Message,
    *,
    given: message.Message | None,
    environ: Mapping[str, str],
    usual: Mapping[str, str] | None = None,
) -> Source:
    """Returns the source of the token that `choose` selects for a manifest.

    Raises:
        PlantonError: As `choose`.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    _, chosen = _chosen(kind, _named(manifest, usual), given, environ)
    own = references.credential(manifest, lambda _: None)
    by_context = chosen.credential and own in ("", None, DEFAULT)
    return dataclasses.replace(chosen, ignored=token_from(kind.provider, environ) if by_context else "")


def missing(provider: str, *, with_file: bool = False) -> errors.PlantonError:
    """Returns the error for a cloud without a token.

    Args:
        provider: The cloud.
        with_file: Whether the command takes ``-p``.
    """
    file_option = "give a provider config with -p FILE, " if with_file else ""
    return errors.PlantonError(
        f"no credentials for {provider}",
        code=errors.Code.MISSING,
        reason=errors.Reason.CREDENTIAL_MISSING,
        hint=f"set {_VARIABLES[provider][0][0]}, {file_option}use a context with a credential, or try it without an "
        'account: eval "$(planton sandbox env)"',
    )


def _named(manifest: message.Message, usual: Mapping[str, str] | None) -> str:
    own = references.credential(manifest, lambda _: None)
    provider = kinds.get(manifest.DESCRIPTOR.name).provider
    return (usual or {}).get(provider, "") if own in ("", None, DEFAULT) else str(own)


def _chosen(kind: kinds.Kind, named: str, given: message.Message | None, environ: Mapping[str, str]) -> tuple[Any, Source]:
    config: Any = kind.provider_config()
    has_token = given is not None and bool(given.api_token)  # type: ignore[attr-defined]  # both provider configs have it
    if named and not has_token:
        config.CopyFrom(_entry(kind, named, environ))
    entry_has_token = bool(config.api_token)
    if given is not None:
        config.MergeFrom(given)
    if has_token:
        origin = Source()
    elif entry_has_token:
        origin = Source(credential=named)
    else:
        origin = Source(variable=token_from(kind.provider, environ))
    own_address = bool(config.api_endpoint)
    _fill(config, kind.provider, environ)
    _check_address(config, kind.provider, origin, own_address=own_address, environ=environ)
    return config, origin


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
    config, _ = _chosen(kind, (usual or {}).get(provider, ""), None, environ)
    return config  # type: ignore[no-any-return]  # its class is found by name


def overruled(provider: str, environ: Mapping[str, str], usual: Mapping[str, str]) -> str:
    """Returns the variable whose token is ignored because the context names a credential; empty if there is none."""
    return token_from(provider, environ) if usual.get(provider) else ""


def is_sandbox(config: Any, environ: Mapping[str, str]) -> bool:  # a provider config of either cloud
    """Returns whether requests go to the sandbox of this machine."""
    is_ours = config.api_token.startswith(_SANDBOX_TOKEN) or bool(environ.get(SANDBOX_VARIABLE))
    return _is_here(config.api_endpoint) and is_ours


def _is_here(address: str) -> bool:
    try:
        return urllib.parse.urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False


def _check_address(config: Any, provider: str, origin: Source, *, own_address: bool, environ: Mapping[str, str]) -> None:
    variable = _VARIABLES[provider][2][0]
    to_sandbox = _is_here(config.api_endpoint)
    if config.api_token.startswith(_SANDBOX_TOKEN):
        if to_sandbox:
            return
        address = config.api_endpoint or "the public cloud"
        why = f"the token for {provider} ({origin.text}) is the sandbox's, and would be sent to {address}"
        hint = f'set the token of your account, or point {variable} at the sandbox: eval "$(planton sandbox env)"'
    elif config.api_token and to_sandbox and not own_address and (not origin.variable or environ.get(SANDBOX_VARIABLE)):
        why = (
            f"the token for {provider} ({origin.text}) is not the sandbox's, and {variable} sends it to this machine "
            f"({config.api_endpoint}), as in a shell of the sandbox"
        )
        hint = 'leave the sandbox: eval "$(planton sandbox env --unset)"; or use no context: --context default'
        hint += "" if origin.variable else "; to use a proxy of yours, set api_endpoint in the credential"
    else:
        return
    raise errors.PlantonError(why, code=errors.Code.MISSING, reason=errors.Reason.CREDENTIAL_INVALID, hint=hint)


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
            hint=f"add it to {path}, name a known one, or write {DEFAULT!r} for the account of the context or the environment",
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
        hint="correct the file or restore it from a backup (docs/use/credentials.md), or set the variables of the cloud",
        metadata={"file": str(path)},
    )
