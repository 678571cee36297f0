"""Providers: the declaration of each cloud, in the package ``planton.clouds.<name>``.

A declaration imports no client and no Pulumi, so that validation can read it. Clouds are found in the folders of
``planton.clouds``: a cloud is a package there, and its ``PROVIDER`` is the declaration.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import os
import pathlib
import re
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLOUDS = "planton.clouds"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    """A field of a provider config that is part of an account's credential.

    Attributes:
        name: The field of the provider config, e.g. ``api_token``.
        label: Its name in messages, e.g. ``token``.
        variables: The environment variables that fill it, the preferred one first.
        is_secret: Whether its value must never be shown.
        is_required: Whether requests fail without it.
        is_alternative: Whether it is a complete credential by itself. A provider config needs one of the alternatives.
    """

    name: str
    label: str
    variables: tuple[str, ...]
    is_secret: bool = True
    is_required: bool = True
    is_alternative: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of a provider config that is no part of the credential, such as the default project.

    Attributes:
        name: The field of the provider config.
        variables: The environment variables that fill it, the preferred one first.
    """

    name: str
    variables: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """The official Pulumi plugin of a cloud.

    Attributes:
        name: Its name, which is also the first part of the types of its resources.
        version: The version that the modules are written for.
    """

    name: str
    version: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """How a cloud treats the address ranges of networks.

    Attributes:
        are_regional: Whether networks belong to a region. Ranges must then differ only within it.
        refuses_overlaps: Whether the cloud refuses two networks with overlapping ranges.
        overlap: The effect of overlapping networks, for messages.
    """

    are_regional: bool = False
    refuses_overlaps: bool = False
    overlap: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The list prices of a cloud's machine sizes, in US dollars per month.

    Attributes:
        source: The address of the cloud's price list, or of an extract of it.
        read: The day on which the prices were read, ``YYYY-MM-DD``; empty if the cloud's API reports them.
        monthly: Size → price. A missing size has an unknown price. Empty if the cloud's API reports them, or if a node's price
            depends on more (`kinds.Declaration.node_price`).
    """

    source: str
    read: str = ""
    monthly: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The declaration of a cloud.

    Attributes:
        name: The cloud in commands, files and module names, e.g. ``civo``.
        prefix: The prefix of its kinds, e.g. ``Civo``.
        title: Its name for people; the prefix if empty.
        api_group: The group of its kinds' ``apiVersion``.
        credentials: The credential fields of its provider config.
        find_credential: The function that finds a credential of this machine, as ``module:function``, where variables are not
            enough; empty if they are. It takes the environment, and returns values of credential fields and their source.
        is_sandbox_secret: The function that returns whether a secret is the sandbox's, as ``module:function``; empty if a sandbox
            secret is recognized by the beginning of its text alone.
        settings: The other fields of its provider config that the environment fills.
        region_variables: The environment variables with the default region.
        endpoint_variable: The environment variable with the address of the API; empty for none.
        plugin: The official plugin; None if the modules use none.
        packages: The Python packages of the extra that has the cloud's name, as import names.
        distributions: The distributions of these packages, for ``planton version``.
        client: The function that returns the API client of a provider config and a region, as ``module:function``.
        views: The module that translates between the cloud's API and Pulumi properties; empty if the modules need none.
        autoscaler: The module of the autoscaler that planton runs in clusters (`planton.deploy.autoscalers`); empty if the cloud
            scales pools itself.
        token_variable: The environment variable that passes the current secret to the dynamic resources of the modules; empty
            if they use none.
        credentials_expire: Whether kubeconfigs of its clusters expire.
        credentials_open_account: Whether the credential of a cluster also opens the account, so that no file may hold it.
        networks: The treatment of address ranges.
        requires_newest_patch: Whether a minor upgrade must start from the newest patch version.
        completes_versions: Whether the cloud takes the beginning of a Kubernetes version, e.g. ``1.33``, for its newest version that
            begins so.
        keeps_last_pool: Whether the cloud refuses to delete the last node pool of a cluster.
        leftovers: The sorts of leftovers of a deleted cluster that the cloud's lists assign to it.
        uncertain_leftovers: Those of them that the cloud may delete or keep.
        unlisted_leftovers: What a deleted cluster may leave that no list of the cloud assigns to it, for messages.
        silenced_warnings: The parts of the plugin's warnings that a user can do nothing about.
        setup_errors: The parts of the plugin's messages about a provider that cannot be set up.
        shortages: The words with which the cloud reports a shortage, as a regular expression → ``capacity`` if it has no machines,
            ``quota`` if the account may not have more.
        empty_pool_advice: The alternative to a node pool without nodes, for messages.
        lacks: The features that the cloud does not have (`planton.manifest.unavailable_fields` lists them).
        api_access_field: The field of a cluster's spec with the networks that may reach its API server.
        is_default: Whether commands use the cloud if the user names none.
        prices: The list prices of its sizes; None if they are unknown.
        zone: The regular expression of the name of a zone, with its region as the first group; empty if locations are regions.
        drains_deleted_pools: Whether the cloud drains the nodes of a node pool before it deletes them.
        sample_region: The region of generated manifests.
        sample_version: The Kubernetes version of generated manifests.
    """

    name: str
    prefix: str
    api_group: str
    credentials: tuple[CredentialField, ...]
    title: str = ""
    find_credential: str = ""
    is_sandbox_secret: str = ""
    settings: tuple[Setting, ...] = ()
    region_variables: tuple[str, ...] = ()
    endpoint_variable: str = ""
    plugin: Plugin | None = None
    packages: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    client: str = ""
    views: str = ""
    autoscaler: str = ""
    token_variable: str = ""
    credentials_expire: bool = False
    credentials_open_account: bool = False
    networks: Networks = dataclasses.field(default_factory=Networks)
    requires_newest_patch: bool = False
    completes_versions: bool = False
    keeps_last_pool: bool = True
    leftovers: tuple[str, ...] = ()
    uncertain_leftovers: tuple[str, ...] = ()
    unlisted_leftovers: tuple[str, ...] = ()
    setup_errors: tuple[str, ...] = ()
    shortages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    silenced_warnings: tuple[str, ...] = ()
    empty_pool_advice: str = ""
    lacks: frozenset[str] = frozenset()
    api_access_field: str = ""
    is_default: bool = False
    prices: Prices | None = None
    zone: str = ""
    drains_deleted_pools: bool = False
    sample_region: str = ""
    sample_version: str = ""

    def missing(self, config: Any) -> list[str]:  # a provider config of the cloud
        """Returns the labels of the credential fields that a provider config lacks."""
        required = [field for field in self.credentials if field.is_required and not field.is_alternative]
        absent = [field.label for field in required if not getattr(config, field.name)]
        alternatives = [field for field in self.credentials if field.is_alternative]
        if alternatives and not any(getattr(config, field.name) for field in alternatives):
            absent.append(" or ".join(field.label for field in alternatives))
        return absent

    def lacking(self, text: str) -> str:
        """Returns what a text of the cloud says to be lacking, ``capacity`` or ``quota``; empty if it says neither."""
        return next((lacking for words, lacking in self.shortages.items() if re.search(words, text)), "")

    def is_zone(self, location: str) -> bool:
        """Returns whether a location is a zone rather than a region."""
        return bool(self.zone and re.fullmatch(self.zone, location))

    def region_of(self, location: str) -> str:
        """Returns the region of a zone; any other location itself."""
        match = re.fullmatch(self.zone, location) if self.zone else None
        return match[1] if match else location

    @property
    def spoken(self) -> str:
        """Its name for people, e.g. ``DigitalOcean``."""
        return self.title or self.prefix

    @property
    def variables(self) -> str:
        """The preferred environment variables of the required fields of a credential, e.g. ``CIVO_TOKEN``, for messages."""
        required = [field.variables[0] for field in self.credentials if field.is_required and not field.is_alternative]
        alternatives = " or ".join(field.variables[0] for field in self.credentials if field.is_alternative)
        return " and ".join([*required, *([alternatives] if alternatives else [])])

    @property
    def config_name(self) -> str:
        """The name of the message of its provider config."""
        return f"{self.prefix}ProviderConfig"


@functools.cache
def all_providers() -> Mapping[str, Provider]:
    """Returns the declared clouds by name, sorted."""
    folders = importlib.import_module(_CLOUDS).__path__
    names = sorted({entry.name for folder in folders for entry in os.scandir(folder) if _is_package(entry)})
    modules = [importlib.import_module(f"{_CLOUDS}.{name}") for name in names]
    # A folder without source files, such as one that an older version left behind, declares nothing.
    declared: list[Provider] = [module.PROVIDER for module in modules if hasattr(module, "PROVIDER")]
    return types.MappingProxyType({provider.name: provider for provider in declared})


def _is_package(entry: os.DirEntry[str]) -> bool:
    return entry.name.isidentifier() and not entry.name.startswith("_") and entry.is_dir()


def package_files(name: str) -> list[pathlib.Path]:
    """Returns the files with a name in the packages of the clouds; a cloud of another distribution has its comments there."""
    folders = importlib.import_module(_CLOUDS).__path__
    return sorted(path for folder in folders for path in pathlib.Path(folder).glob(f"*/{name}"))


def names() -> tuple[str, ...]:
    """Returns the names of the clouds, sorted."""
    return tuple(all_providers())


def default() -> Provider:
    """Returns the cloud that commands use if the user names none: the declared default, else the first by name."""
    declared = all_providers().values()
    return next((provider for provider in declared if provider.is_default), next(iter(declared)))


def extra_of(package: str) -> str:
    """Returns the extra of a cloud that installs a Python package, the default cloud first; empty if none does."""
    declared = (default(), *all_providers().values())
    return next((provider.name for provider in declared if package in provider.packages), "")


def get(name: str) -> Provider:
    """Returns the declaration of a cloud.

    Raises:
        KeyError: There is no such cloud.
    """
    return all_providers()[name]


def of_config(descriptor_name: str) -> Provider:
    """Returns the declaration of the cloud whose provider config has a message name, e.g. ``CivoProviderConfig``.

    Raises:
        LookupError: There is no such cloud.
    """
    for provider in all_providers().values():
        if provider.config_name == descriptor_name:
            return provider
    raise LookupError(descriptor_name)


def is_silenced(text: str) -> bool:
    """Returns whether a warning of a plugin is one that a user can do nothing about."""
    return any(part in text for provider in all_providers().values() for part in provider.silenced_warnings)


def of_type(type_: str) -> Provider | None:
    """Returns the declaration of the cloud of a Pulumi type; None for types of no cloud."""
    plugin = type_.partition(":")[0]
    return next((each for each in all_providers().values() if each.plugin is not None and each.plugin.name == plugin), None)


@functools.cache
def plugins() -> Mapping[str, str]:
    """Returns the official plugins of all clouds: name → version."""
    listed = [provider.plugin for provider in all_providers().values() if provider.plugin is not None]
    return types.MappingProxyType({plugin.name: plugin.version for plugin in listed})
