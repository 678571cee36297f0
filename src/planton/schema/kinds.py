"""Kinds: the message classes, the module and the declaration of each, found by naming convention.

A kind ``CivoVpc`` is the message ``CivoVpc`` of ``org.project_planton.provider.civo.civovpc.v1``. Its module is the package
``planton.modules.civo.vpc``, whose ``KIND`` is the declaration. There is no registry. The stubs and the declaration of a kind are
imported at their first use. A declaration does not import Pulumi.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import importlib.util
import pathlib
import re
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import ids, suggestions
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from google.protobuf import descriptor
    from google.protobuf import message as protobuf_message

_STUBS = "org.project_planton.provider"
_MODULES = "planton.modules"
_FIELD = re.compile(r"\{(\w+)\}")


class Role(enum.StrEnum):
    """The part that a kind's main resource plays for other resources."""

    NETWORK = "network"
    FIREWALL = "firewall"
    CLUSTER = "cluster"
    NODE_POOL = "node pool"
    OTHER = "resource"

    @property
    def short_name(self) -> str:
        """The name on the command line for the kinds of all clouds with this role; empty for none."""
        return "" if self is Role.OTHER else self.value.rpartition(" ")[2]


class Scope(enum.Enum):
    """The scope in which the cloud name of a kind's resource must be unique."""

    ACCOUNT = "account"
    REGION = "region"
    CLUSTER = "cluster"


class Loss(enum.Enum):
    """A change of a kind's resource that destroys nodes or workloads, so that it needs explicit consent."""

    REPLACE = "replace"
    DELETE = "delete"
    RECREATE = "recreate"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What a cloud charges for a resource, or for a field that is true.

    Attributes:
        text: What it pays for, e.g. ``highly available control plane``.
        monthly: The list price in US dollars per month.
        source: The address of the cloud's price list.
        read: The day on which the price was read, ``YYYY-MM-DD``.
    """

    text: str
    monthly: float
    source: str
    read: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FirstNodes:
    """Nodes that exist only while a cluster is created.

    Attributes:
        count: Returns their number from the cluster's spec.
        needs: The function with the quotas that each of them counts in, as ``module:function``. It takes the cluster's spec, and
            yields names of quotas with the amounts.
        path: The field that decides their number, in the manifest's spelling.
        hint: What to do if a quota has too little left.
    """

    count: Callable[[Any], int]
    needs: str
    path: str
    hint: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The facts about a kind that its schema does not contain: ``KIND`` of the kind's module.

    Attributes:
        main: The name in the stack of the resource that the kind describes. Its id is the first output, and imports adopt it.
        type: The Pulumi type of that resource.
        role: The part that it plays for other resources.
        noun: Its name in messages; that of the role if empty.
        cloud_name: The path of the field with its name in the cloud, in proto spelling.
        longest_name: The largest number of characters in that name.
        scope: The scope in which that name must be unique.
        id_output: The output with its id; the first one if empty.
        reference: The field that a reference to its name means, in proto spelling; the id if empty.
        region_field: The field of its spec with its region or zone.
        size_field: The field of a pool's spec with its machine size.
        count_field: The field of a pool's spec with its number of nodes in total.
        counts: Returns the number of nodes and the largest number of nodes of a pool from its spec; None if they are in
            ``node_count`` and ``max_nodes``.
        cluster_id: The id of a node pool's cluster, with the names of fields of its spec in braces.
        id_pattern: The regular expression of ids; a UUID if empty.
        cluster_property: The property of a node pool's Pulumi type that holds the id of its cluster, or its name.
        cluster_id_of_state: The id of a node pool's cluster, with the names of properties in braces, if that is its name.
        account_fields: The field of the provider config → the field of the manifest that sets it, in proto spelling: for clouds
            whose accounts have several projects.
        losses: The changes of it that need explicit consent.
        is_tagged: Whether its creation sends a unique tag, which proves that it is ours.
        is_imported_by_cluster: Whether its import id is ``CLUSTER-ID:ID`` instead of its own id alone.
        credential_field: The spec field that names an entry of the credentials file; empty if only the annotation does.
        own_firewall: The name of the firewall that is created where the manifest names none, with ``{}`` for the cloud name;
            empty if there is none.
        default_pool_name: The cloud name of the default node pool; empty if the cloud chooses one.
        ignored_inputs: The properties of its Pulumi type that another resource of the stack or the plugin sets.
        state_inputs: The inputs of its Pulumi type that only the state has: an import sets them to the plugin's defaults.
        fields: Pulumi property → spec field, in the manifest's spelling; ``metadata.name`` for the name of the manifest.
        own_firewall_fields: Property of the own firewall → path of the field that sets it.
        api_fields: Spec field → the paths of its value in a resource of the NodePool API, the first set one counts; empty if the
            API has no such resource. A path begins with ``name``, ``spec``, ``platform`` (the object of the cloud in the spec),
            ``cluster`` (the cluster of a node pool), ``bounds`` (those of the autoscaling, while it is enabled), ``default`` (what the
            controller chooses) or ``existing`` (a field of the spec of an adopted resource).
        existing: The function that finds an existing resource for an object of the API whose spec does not say enough to create
            one, as ``module:function``; empty if objects are always created. It takes the account and the set fields of the
            manifest's spec, and returns the import id and the spec of the existing resource, or None.
        offers: The function that compares a manifest with what its place offers, as ``module:function``; empty if the region decides.
            It takes the account and the manifest, and yields what is refused (`planton.clouds.entries.Refusal`).
        api_place: Returns the values of the API's object for a region or zone, path → value, if it has several fields for it.
        needs: The function with the quotas that a node of a pool counts in, as ``module:function``, where more than its size
            decides; empty otherwise. It takes the manifest's spec, the row of the size, the quotas, and the manifest of the pool's
            cluster or else its entry in the cloud (None if neither is known), and yields names of quotas with the amounts.
        first_nodes: The nodes that exist only while a cluster is created; None if there are none.
        surge: Returns the number of nodes that a change adds to a pool for as long as it takes, from the pool's spec and the
            Pulumi properties that change; None if no change does.
        replacing: The spec fields whose change replaces the main resource.
        shown: The Pulumi properties that a plan shows of a new resource. ``planton plan --show-all`` shows all.
        typical_seconds: Action → the usual seconds that the cloud takes for it, for progress; none if it takes no time.
        node_price: The function with the price of a node of a pool, as ``module:function``, where more than its size decides; empty
            otherwise. It takes the manifest's spec, and yields the parts of a node with the list price of each in US dollars per
            month, None if it is unknown.
        fee: What the cloud charges for the main resource itself; None if only its nodes cost something.
        fees: Boolean spec field, in proto spelling → what the cloud charges for it.
    """

    main: str = ""
    type: str = ""
    role: Role = Role.OTHER
    noun: str = ""
    cloud_name: str = "metadata.name"
    longest_name: int = 63
    scope: Scope = Scope.ACCOUNT
    id_output: str = ""
    reference: str = ""
    region_field: str = "region"
    size_field: str = "size"
    count_field: str = "node_count"
    counts: Callable[[Any], tuple[int, int]] | None = None
    cluster_id: str = "{cluster}"
    id_pattern: str = ""
    cluster_property: str = "clusterId"
    cluster_id_of_state: str = ""
    account_fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    losses: frozenset[Loss] = frozenset()
    is_tagged: bool = False
    is_imported_by_cluster: bool = False
    credential_field: str = ""
    own_firewall: str = ""
    default_pool_name: str = ""
    ignored_inputs: tuple[str, ...] = ()
    state_inputs: tuple[str, ...] = ()
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    own_firewall_fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    api_fields: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    existing: str = ""
    offers: str = ""
    api_place: Callable[[str], Mapping[str, str]] | None = None
    needs: str = ""
    first_nodes: FirstNodes | None = None
    surge: Callable[[Any, Collection[str]], int] | None = None
    replacing: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    typical_seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    node_price: str = ""
    fee: Fee | None = None
    fees: Mapping[str, Fee] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A resource kind.

    Attributes:
        name: As in manifests, e.g. ``CivoKubernetesCluster``.
        provider: The name of the cloud, e.g. ``civo``.
    """

    name: str
    provider: str

    @property
    def cloud(self) -> providers.Provider:
        """The declaration of the cloud."""
        return providers.get(self.provider)

    @property
    def declared(self) -> Declaration:
        """The declaration of the kind; an empty one if this version has no module for it."""
        return _declaration(self.module)

    @property
    def main(self) -> str:
        """The name of the main resource in stacks, e.g. ``cluster``."""
        return self.declared.main

    @property
    def noun(self) -> str:
        """The name of the main resource in messages, e.g. ``node pool``."""
        return self.declared.noun or self.declared.role.value

    @property
    def short_name(self) -> str:
        """Its name on the command line, which kinds of other clouds share, e.g. ``pool``; empty if it has none."""
        return self.declared.role.short_name

    @property
    def is_network(self) -> bool:
        """Whether the kind is a network."""
        return self.declared.role is Role.NETWORK

    @property
    def is_cluster(self) -> bool:
        """Whether the kind is a Kubernetes cluster."""
        return self.declared.role is Role.CLUSTER

    @property
    def is_node_pool(self) -> bool:
        """Whether the kind is a node pool with a manifest of its own."""
        return self.declared.role is Role.NODE_POOL

    @property
    def cloud_name_path(self) -> str:
        """The path of the field with the cloud name of the main resource, in the manifest's spelling."""
        return ".".join(_camel(part) for part in self.declared.cloud_name.split("."))

    def cloud_name(self, manifest: Any) -> str:  # a manifest of this kind
        """Returns the cloud name of the main resource of a manifest."""
        return str(functools.reduce(getattr, self.declared.cloud_name.split("."), manifest))

    def is_replaced_by(self, path: str) -> bool:
        """Returns whether the kind declares that a change of a Pulumi property replaces the main resource."""
        name, dot, rest = path.partition(".")
        field = f"{self.declared.fields.get(name, name)}{dot}{rest}"
        return any(field == each or field.startswith((f"{each}.", f"{each}[")) for each in self.declared.replacing)

    @property
    def id_output(self) -> str:
        """The name of the output with the id of the main resource."""
        return self.declared.id_output or str(self.stack_outputs.DESCRIPTOR.fields[0].name)

    def id(self, manifest: Any) -> str:  # a manifest of this kind
        """Returns the id of the main resource of an applied manifest; empty before its apply."""
        return str(getattr(manifest.status.outputs, self.id_output))

    def is_id(self, text: str) -> bool:
        """Returns whether a text is an id of the cloud rather than a name."""
        pattern = self.declared.id_pattern
        return bool(re.fullmatch(pattern, text)) if pattern else ids.is_id(text)

    def cluster_id(self, manifest: Any) -> str:  # a node pool of this kind, with references resolved
        """Returns the id or the name of the cluster of a node pool."""
        return _FIELD.sub(lambda match: str(getattr(manifest.spec, match[1]).value), self.declared.cluster_id)

    @property
    def api_version(self) -> str:
        """The manifest's ``apiVersion``, e.g. ``civo.project-planton.org/v1``."""
        return f"{self.cloud.api_group}/v1"

    @property
    def package(self) -> str:
        """The Python package of the kind's stubs."""
        return f"{_STUBS}.{self.provider}.{self.name.lower()}.v1"

    @property
    def stem(self) -> str:
        """The kind's name without its provider, in snake case, e.g. ``kubernetes_cluster``."""
        bare = self.name.removeprefix(self.cloud.prefix)
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()

    @property
    def message(self) -> type[protobuf_message.Message]:
        """The message class of the manifest."""
        return _message(self.package, "api_pb2", self.name)

    @property
    def stack_input(self) -> type[protobuf_message.Message]:
        """The message class of the module's input."""
        return _message(self.package, "stack_input_pb2", f"{self.name}StackInput")

    @property
    def stack_outputs(self) -> type[protobuf_message.Message]:
        """The message class of the outputs of an apply."""
        return _message(self.package, "stack_outputs_pb2", f"{self.name}StackOutputs")

    @property
    def provider_config(self) -> type[protobuf_message.Message]:
        """The message class of the provider's credentials and defaults."""
        return _message(f"{_STUBS}.{self.provider}", "provider_pb2", self.cloud.config_name)

    @property
    def module(self) -> str:
        """The import name of the kind's module, e.g. ``planton.modules.civo.kubernetes_cluster``."""
        return f"{_MODULES}.{self.provider}.{self.stem}"


def _camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.title() for word in words)


@functools.cache
def _message(package: str, module: str, name: str) -> type[protobuf_message.Message]:
    stub: type[protobuf_message.Message] = getattr(importlib.import_module(f"{package}.{module}"), name)
    return stub


@functools.cache
def _declaration(module: str) -> Declaration:
    try:
        declared: Declaration = importlib.import_module(module).KIND
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return Declaration()
    return declared


@functools.cache
def find(name: str) -> Kind | None:
    """Returns the kind with exactly this name, or None."""
    for provider in providers.all_providers().values():
        kind = Kind(name, provider.name)
        if name.startswith(provider.prefix) and name.isalnum() and name.isascii() and _has_stubs(kind):
            return kind if kind.message.DESCRIPTOR.name == name else None
    return None


def _has_stubs(kind: Kind) -> bool:
    # find_spec imports parents; a kind that does not exist has no parent package, which it reports as an error. A kind in
    # other letter case finds the stubs, but has no message of that name.
    try:
        if importlib.util.find_spec(f"{kind.package}.api_pb2") is None:
            return False
    except ModuleNotFoundError:
        return False
    return hasattr(importlib.import_module(f"{kind.package}.api_pb2"), kind.name)


@functools.cache
def all_kinds() -> tuple[Kind, ...]:
    """Returns every kind that has stubs, by name."""
    listed = []
    for provider in providers.names():
        parent = importlib.import_module(f"{_STUBS}.{provider}")
        for stub in (path for folder in parent.__path__ for path in pathlib.Path(folder).glob("*/v1/api_pb2.py")):
            api = importlib.import_module(f"{parent.__name__}.{stub.parts[-3]}.v1.api_pb2")
            listed += [Kind(name, provider) for name in _manifest_names(api.DESCRIPTOR)]
    return tuple(sorted(listed, key=lambda kind: kind.name))


def _manifest_names(file: descriptor.FileDescriptor) -> list[str]:
    return [name for name, described in file.message_types_by_name.items() if "api_version" in described.fields_by_name]


@functools.cache
def of_type(type_: str) -> Kind | None:
    """Returns the kind whose main resource has a Pulumi type; None if there is none."""
    return next((kind for kind in all_kinds() if kind.declared.type == type_), None)


def of_role(role: Role, provider: str = "") -> tuple[Kind, ...]:
    """Returns the kinds with a role, of one cloud or of all.

    Args:
        role: The role.
        provider: The name of the cloud; empty for all clouds.
    """
    return tuple(kind for kind in all_kinds() if kind.declared.role is role and provider in ("", kind.provider))


def of_provider(provider: str) -> Kind:
    """Returns one kind of a cloud, for what all of them share, such as the provider config.

    Raises:
        LookupError: The cloud has no kinds.
    """
    for kind in all_kinds():
        if kind.provider == provider:
            return kind
    raise LookupError(provider)


def type_of(role: Role, provider: str) -> str:
    """Returns the Pulumi type of the kind of a cloud that has a role.

    Raises:
        LookupError: The cloud has no such kind.
    """
    return of_role(role, provider)[0].declared.type


@functools.cache
def resource_types(provider: str) -> Mapping[str, str]:
    """Returns the Pulumi types of the kinds of a cloud: name of the main resource in stacks → type."""
    return {kind.main: kind.declared.type for kind in all_kinds() if kind.provider == provider and kind.main}


def has_role(type_: str, role: Role) -> bool:
    """Returns whether the resources of a Pulumi type have a role."""
    kind = of_type(type_)
    return kind is not None and kind.declared.role is role


def cluster_of(resource: Mapping[str, Any]) -> str:
    """Returns the id of the cluster of a node pool in a state; empty for other resources, and while it is unknown."""
    kind = of_type(resource["type"])
    declared = kind.declared if kind is not None and kind.is_node_pool else Declaration()
    template = declared.cluster_id_of_state or f"{{{declared.cluster_property}}}"
    inputs = resource.get("inputs") or {}
    if not all(isinstance(inputs.get(name), str) for name in _FIELD.findall(template)):
        return ""
    return _FIELD.sub(lambda match: str(inputs[match[1]]), template)


def is_deleted_with(user: str, target: str) -> bool:
    """Returns whether a resource of the kind ``user`` is deleted with the resource that it refers to, as a pool with its cluster."""
    user_kind, target_kind = find(user), find(target)
    return bool(user_kind and target_kind and user_kind.is_node_pool and target_kind.is_cluster)


def regions(provider: str) -> frozenset[str]:
    """Returns the names of the regions that manifests of a provider can use; none for a cloud without regions."""
    field: Any = of_provider(provider).provider_config.DESCRIPTOR.fields_by_name.get("default_region")
    if field is None or field.enum_type is None:
        return frozenset()
    return frozenset(value.name for value in field.enum_type.values if value.number)


def get(name: str) -> Kind:
    """Returns the kind with exactly this name.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    kind = find(name)
    if kind is None:
        raise _unknown(name, [kind.name for kind in all_kinds()])
    return kind


def _unknown(text: str, names: Sequence[str]) -> errors.PlantonError:
    return errors.kind_unknown(
        f"unknown kind {text!r}",
        hint=suggestions.suggest(text, names),
        metadata={"kind": text},
    )


def parse(text: str) -> Kind:
    """Returns the kind with a name from the command line: singular or plural, in any case, or a short name of one kind.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint, or the kinds of a short name that several have.
    """
    matches = match(text)
    if len(matches) > 1:
        raise errors.kind_unknown(
            f"{text!r} means several kinds",
            hint=f"name one of them: {', '.join(kind.name for kind in matches)}",
            metadata={"kind": text},
        )
    return matches[0]


def _named(text: str) -> Kind | None:
    return next((kind for kind in all_kinds() if text.lower() in _both(kind.name.lower())), None)


def match(text: str) -> tuple[Kind, ...]:
    """Returns the kinds that a name from the command line means.

    One kind; or all kinds with a short name such as ``pools``, or with a name such as ``vpc`` after that of their cloud.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    word = text.lower()
    matches = tuple(kind for kind in all_kinds() if any(word in _both(name) for name in _words(kind)))
    kind = None if matches else _named(text)
    if not matches and kind is None:
        short = [name for each in all_kinds() for word in _words(each) for name in _both(word)]
        raise _unknown(text, [*short, *(each.name for each in all_kinds())])
    return matches if kind is None else (kind,)


def _words(kind: Kind) -> tuple[str, ...]:
    own = kind.name.removeprefix(kind.cloud.prefix).lower()
    return tuple(filter(None, (kind.short_name, own)))


def short_names() -> tuple[str, ...]:
    """Returns the short names of kinds in the plural, sorted, e.g. ``clusters``."""
    return tuple(sorted({_both(kind.short_name)[1] for kind in all_kinds() if kind.short_name}))


def _both(name: str) -> tuple[str, str]:
    return (name, f"{name}s")
