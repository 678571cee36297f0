"""Credentials: which account an operation uses.

The order of precedence is: the file of ``-p``, the stack input, the credential that the manifest names, the credential of the
context, the environment. The user's credentials file is YAML, mode 0600: a mapping from names to provider configs.

The declaration of a cloud names the credential fields of its provider config. All fields of a credential come from one source:
a credential is never composed of a file's fields and the environment's.

A sandbox token is sent to this machine only. A credential is sent to the sandbox only if its ``api_endpoint`` names it.
"""

from __future__ import annotations

import dataclasses
import pkgutil
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import addresses
from planton.config import credentials_file
from planton.schema import kinds, providers, references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf import message

#: Set by ``planton sandbox env``: the addresses of this shell are the sandbox's.
SANDBOX_VARIABLE = "PLANTON_SANDBOX"
#: The prefix of every sandbox token; no cloud issues such a token.
_SANDBOX_TOKEN = "sandbox-"  # noqa: S105  # a public constant of the sandbox


def variables_in(provider: str, environ: Mapping[str, str]) -> str:
    """Returns the names of the environment variables that the credential of a cloud comes from; empty if none is set."""
    return _of_machine(providers.get(provider), environ)[1]


def _of_machine(cloud: providers.Provider, environ: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Returns the credential of this machine, as fields of a provider config, and its source."""
    if cloud.find_credential:
        find: Callable[[Mapping[str, str]], tuple[dict[str, str], str]] = pkgutil.resolve_name(cloud.find_credential)
        return find(environ)
    variables = {field.name: _first_set(field.variables, environ) for field in cloud.credentials}
    values = {name: environ[variable] for name, variable in variables.items() if variable}
    return values, ", ".join(variable for variable in variables.values() if variable)


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next((name for name in names if environ.get(name)), "")


def is_set(config: message.Message) -> bool:
    """Returns whether a provider config has a credential: any required field of it, or an alternative one."""
    fields = (field for field in _declared(config).credentials if field.is_required or field.is_alternative)
    return any(getattr(config, field.name) for field in fields)


def secrets(config: message.Message) -> list[str]:
    """Returns the values of the secret fields of a provider config that are set."""
    fields = [field for field in _declared(config).credentials if field.is_secret]
    return [str(getattr(config, field.name)) for field in fields if getattr(config, field.name)]


def secret(config: message.Message) -> str:
    """Returns the first secret of a provider config; empty if it has none."""
    return next(iter(secrets(config)), "")


def _declared(config: message.Message) -> providers.Provider:
    return providers.of_config(config.DESCRIPTOR.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """The source of an account's credential.

    Attributes:
        variable: The environment variables; empty for another source.
        credential: The entry of the credentials file; empty for another source.
        ignored: The variables that are ignored because the context names a credential; empty if there are none.
    """

    variable: str = ""
    credential: str = ""
    ignored: str = ""

    @property
    def text(self) -> str:
        """The source as a few words, e.g. ``credential acme``."""
        return self.variable or (f"credential {self.credential}" if self.credential else "provider config")


def choose(
    manifest: message.Message,
    *,
    override: message.Message | None,
    region: str,
    environ: Mapping[str, str],
    usual: Mapping[str, str] | None = None,
    with_file: bool = True,
) -> message.Message:
    """Returns the provider config for a manifest.

    Args:
        manifest: Its kind determines the cloud. Its annotation ``project-planton.org/credential``, or the field that its kind
            declares, names the entry of the file.
        override: The config of ``-p`` or of a stack input, which takes precedence; or None.
        region: The region of the manifest's references, or empty; it takes precedence over the config's default.
        environ: The environment.
        usual: Provider → entry of the file that the context names; it takes precedence over the environment.
        with_file: Whether the command takes ``-p``, for the hint of an error.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``; ``CREDENTIAL_MISSING``; ``CREDENTIAL_INVALID``.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    config, _ = _chosen(kind, _named(manifest, usual), override, environ)
    set_region(config, region)
    for name, path in kind.declared.account_fields.items():
        setattr(config, name, references.value(manifest, path))
    if absent := kind.cloud.missing(config):
        raise missing(kind.provider, with_file=with_file, fields=absent if is_set(config) else ())
    return config  # type: ignore[no-any-return]  # its class is found by name


def source(
    manifest: message.Message,
    *,
    override: message.Message | None,
    environ: Mapping[str, str],
    usual: Mapping[str, str] | None = None,
) -> Source:
    """Returns the source of the credential that `choose` selects for a manifest.

    Raises:
        PlantonError: As `choose`.
    """
    kind = kinds.get(manifest.DESCRIPTOR.name)
    _, chosen = _chosen(kind, _named(manifest, usual), override, environ)
    own = references.credential(manifest, lambda _: None)
    by_context = chosen.credential and own in ("", None, references.DEFAULT_CREDENTIAL)
    return dataclasses.replace(chosen, ignored=variables_in(kind.provider, environ) if by_context else "")


def missing(provider: str, *, with_file: bool = False, fields: Sequence[str] = ()) -> errors.PlantonError:
    """Returns the error for a cloud without a credential.

    Args:
        provider: The cloud.
        with_file: Whether the command takes ``-p``.
        fields: The labels of the missing fields of an incomplete credential.
    """
    file_option = "pass a provider config with -p FILE, " if with_file else ""
    incomplete = f": without the {', '.join(fields)}" if fields else ""
    return errors.credential_missing(
        f"failed to setup {providers.get(provider).spoken} provider: no credentials for {provider}{incomplete}",
        hint=f"set {providers.get(provider).variables}, {file_option}use a context with a credential, or try it without an "
        'account: eval "$(planton sandbox env)"',
    )


def _named(manifest: message.Message, usual: Mapping[str, str] | None) -> str:
    own = references.credential(manifest, lambda _: None)
    provider = kinds.get(manifest.DESCRIPTOR.name).provider
    return (usual or {}).get(provider, "") if own in ("", None, references.DEFAULT_CREDENTIAL) else str(own)


def _chosen(kind: kinds.Kind, named: str, override: message.Message | None, environ: Mapping[str, str]) -> tuple[Any, Source]:
    config: Any = kind.provider_config()
    is_overridden = override is not None and is_set(override)
    if named and not is_overridden:
        config.CopyFrom(credentials_file.entry(kind, named, environ))
    is_from_entry = is_set(config)
    if override is not None:
        config.MergeFrom(override)
    if is_overridden:
        origin = Source()
    elif is_from_entry:
        origin = Source(credential=named)
    else:
        values, variable = _of_machine(kind.cloud, environ)
        origin = Source(variable=variable)
        for name, value in values.items():
            setattr(config, name, value)
    own_address = bool(_endpoint(config))
    _fill(config, kind.cloud, environ)
    _check_characters(config, kind.cloud)
    _check_address(config, kind.cloud, origin, own_address=own_address, environ=environ)
    return config, origin


def from_environment(provider: str, environ: Mapping[str, str], usual: Mapping[str, str] | None = None) -> message.Message:
    """Returns the provider config for requests that are for no manifest. Fields without a value stay unset.

    Args:
        provider: The cloud.
        environ: The environment.
        usual: As for `choose`.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``; ``CREDENTIAL_INVALID``.
    """
    config, _ = _chosen(kinds.of_provider(provider), (usual or {}).get(provider, ""), None, environ)
    return config  # type: ignore[no-any-return]  # its class is found by name


def overruled(provider: str, environ: Mapping[str, str], usual: Mapping[str, str]) -> str:
    """Returns the variables that are ignored because the context names a credential; empty if there are none."""
    return variables_in(provider, environ) if usual.get(provider) else ""


def is_sandbox(config: message.Message, environ: Mapping[str, str]) -> bool:
    """Returns whether requests go to the sandbox of this machine."""
    return addresses.is_local(_endpoint(config)) and (_has_sandbox_token(config) or bool(environ.get(SANDBOX_VARIABLE)))


def _has_sandbox_token(config: message.Message) -> bool:
    cloud = _declared(config)
    is_own: Callable[[str], bool] = pkgutil.resolve_name(cloud.is_sandbox_secret) if cloud.is_sandbox_secret else lambda _: False
    return any(value.startswith(_SANDBOX_TOKEN) or is_own(value) for value in secrets(config))


def _endpoint(config: message.Message) -> str:
    return str(getattr(config, "api_endpoint", ""))


def _check_address(
    config: message.Message, cloud: providers.Provider, origin: Source, *, own_address: bool, environ: Mapping[str, str]
) -> None:
    address, variable = _endpoint(config), cloud.endpoint_variable
    set_ = (field.label for field in cloud.credentials if field.is_secret and bool(getattr(config, field.name, "")))
    label = next(set_, "credential")
    is_of_shell = not origin.variable or bool(environ.get(SANDBOX_VARIABLE))
    if _has_sandbox_token(config):
        if addresses.is_local(address):
            return
        why = (
            f"the {label} for {cloud.name} ({origin.text}) is the sandbox's, and would be sent to {address or 'the public cloud'}"
        )
        hint = f'set the {label} of your account, or point {variable} at the sandbox: eval "$(planton sandbox env)"'
    elif is_set(config) and addresses.is_local(address) and not own_address and is_of_shell:
        why = (
            f"the {label} for {cloud.name} ({origin.text}) is not the sandbox's, and {variable} sends it to this machine "
            f"({address}), as in a shell of the sandbox"
        )
        hint = 'leave the sandbox: eval "$(planton sandbox env --unset)"; or use no context: --context default'
        hint += "" if origin.variable else "; to use a proxy of yours, set api_endpoint in the credential"
    else:
        return
    raise errors.credential_invalid(why, hint=hint)


def _fill(config: Any, cloud: providers.Provider, environ: Mapping[str, str]) -> None:  # a provider config of the cloud
    for setting in cloud.settings:
        if not getattr(config, setting.name):
            setattr(config, setting.name, environ.get(_first_set(setting.variables, environ), ""))
    if not getattr(config, "default_region", None):
        set_region(config, environ.get(_first_set(cloud.region_variables, environ), ""))
    address = environ.get(cloud.endpoint_variable, "") if cloud.endpoint_variable else ""
    if address and not _endpoint(config):
        config.api_endpoint = address.rstrip("/")


def _check_characters(config: message.Message, cloud: providers.Provider) -> None:
    for field in cloud.credentials:
        # A request cannot carry other characters. Its error would name an encoding, not the credential.
        if not all("!" <= character <= "~" for character in getattr(config, field.name)):
            source_ = f"{field.variables[0]}, " if field.variables else ""
            raise errors.credential_invalid(
                f"the {field.label} for {cloud.name} has spaces or characters that are not ASCII",
                hint=f"copy the whole of it again, and nothing else; it comes from {source_}a credentials file or -p FILE",
            )


def set_region(config: Any, name: str) -> None:  # a provider config of any cloud
    """Sets the default region, unless the cloud does not know the name: an enum's value, or a text."""
    field = config.DESCRIPTOR.fields_by_name.get("default_region")
    if field is None or not name:
        return
    if field.enum_type is None:
        config.default_region = name
    elif value := field.enum_type.values_by_name.get(name.lower()):
        config.default_region = value.number
