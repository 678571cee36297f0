"""Laws for every kind, checked by reflection over the schema, so that a new kind is covered automatically."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor, message

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton import errors, modules
from planton.manifest import load
from planton.modules import unsupported
from planton.schema import kinds, providers
from support import corpus, mocks

#: Fields that change nothing in a plan, with the reason.
WITHOUT_EFFECT = {
    "CivoVpc spec.civo_credential_id": "chooses the provider config before the module runs (credentials.choose)",
}
#: Outputs that stay empty, with the reason.
WITHOUT_OUTPUT = {
    "CivoVpc created_at_rfc3339": "the cloud does not report when a network was created",
    "CivoFirewall created_at_rfc3339": "the cloud does not report when a firewall was created",
}
#: Fields of node pools that some pools lack, with the reason.
POOL_FIELDS = ("size", "node_count", "auto_scale", "min_nodes", "max_nodes", "labels", "taints")
WITHOUT_POOL_FIELDS = {
    "CivoKubernetesClusterDefaultNodePool": "the cloud's plugin ignores labels and taints of a default pool; it is not autoscaled",
    "GcpGkeNodePoolSpec": "has the names of a schema that exists: machineType, autoscaling, nodeLabels",
}
#: Default kinds of references that this version cannot look up, with the reason: `reference.kind_is_known` refuses a reference to them.
WITHOUT_KIND = dict.fromkeys(
    ("GcpProject", "GcpVpc", "GcpSubnetwork", "GcpRouterNat"), "exists in the schema, without a module here"
)
_OTHER_ID = "55555555-5555-4555-8555-555555555555"
_OTHER_VALUES = {"talos": "k3s", "k3s": "talos", "cilium": "flannel", "flannel": "cilium", "1.30.5+k3s1": "1.29.8-k3s1"}

KINDS = {kind.name: kind for kind in kinds.all_kinds()}
PLANNED = sorted(KINDS)


def _is_reference(field: descriptor.FieldDescriptor) -> bool:
    return field.message_type is foreign_key_pb2.StringValueOrRef.DESCRIPTOR


def _is_map(field: descriptor.FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _leaves(type_: descriptor.Descriptor, path: str = "spec") -> Iterator[str]:
    for field in type_.fields:
        field_path = f"{path}.{field.name}"
        if _is_reference(field):
            yield from (f"{field_path}.value", f"{field_path}.value_from")
        elif field.message_type is None or _is_map(field):
            yield field_path
        else:
            yield from _leaves(field.message_type, field_path)


def _holders(value: message.Message, steps: list[str]) -> Iterator[message.Message]:
    # Every message at a path. Missing entries of a list are skipped.
    if not steps:
        yield value
        return
    field = value.DESCRIPTOR.fields_by_name[steps[0]]
    inner = getattr(value, steps[0])
    for item in inner if field.is_repeated else [inner]:
        yield from _holders(item, steps[1:])


def _mutate(holder: Any, name: str) -> None:  # a message of any type
    field = holder.DESCRIPTOR.fields_by_name[name]
    value = getattr(holder, name)
    if name == "value_from":
        value.name = "another"
    elif _is_map(field):
        value["mutated"] = "yes"
    elif field.is_repeated:
        value.append("198.51.100.7/32" if "cidr" in name else "203.0.113.9")
    elif field.type == field.TYPE_BOOL:
        setattr(holder, name, not value)
    elif field.type == field.TYPE_ENUM:
        setattr(holder, name, value % (len(field.enum_type.values) - 1) + 1)
    elif field.type == field.TYPE_STRING:
        other = _OTHER_ID if holder.DESCRIPTOR is foreign_key_pb2.StringValueOrRef.DESCRIPTOR else f"{value}x"
        setattr(holder, name, _OTHER_VALUES.get(value, other))
    else:
        setattr(holder, name, value + 1)


def _plan(manifest: Any) -> mocks.Planned | errors.PlantonError:  # a manifest of any kind
    spec = manifest.spec
    # A running cluster may keep its version when other fields change.
    running = getattr(spec, "kubernetes_version", "").replace("+", "-")
    clusters = {"old-cluster": (mocks.CLUSTER_ID, "")} | ({"own": (_OTHER_ID, running)} if running else {})
    cloud = mocks.Civo(clusters=clusters, own="own" if running else "")
    civo = KINDS[manifest.DESCRIPTOR.name].provider == "civo"
    try:
        return mocks.plan(mocks.stack_input(manifest), cloud=cloud if civo else None)
    except errors.PlantonError as error:
        return error


@functools.cache
def _plan_of(file: pathlib.Path) -> mocks.Planned | errors.PlantonError:
    return _plan(corpus.read(file))


def _honoured(before: mocks.Planned, after: mocks.Planned | errors.PlantonError, path: str) -> bool:
    name = unsupported.json_path(path.removesuffix(".value").removesuffix(".value_from")).split(".")[-1]
    if isinstance(after, errors.PlantonError):
        return name in f"{after.message} {after.hint}"
    warnings = " ".join(warning for warning in after.warnings if warning not in before.warnings)
    return before.resources != after.resources or name in warnings


FIELDS = [
    (kind, path) for kind in PLANNED for path in _leaves(KINDS[kind].message.DESCRIPTOR.fields_by_name["spec"].message_type)
]


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=lambda value: value)
def test_every_spec_field_changes_the_plan_or_is_refused_or_warned_about(kind: str, path: str) -> None:
    """Nothing in a manifest is ignored silently. Each leaf is changed by itself."""
    *parents, leaf = path.split(".")[1:]
    attempts, honoured = 0, False
    for file in corpus.plan_manifests(kind):
        manifest = corpus.read(file)
        before = _plan_of(file)
        assert isinstance(before, mocks.Planned), f"{file.name} cannot be planned: {before}"
        for index in range(len(list(_holders(manifest.spec, parents)))):
            changed = corpus.read(file)
            _mutate(list(_holders(changed.spec, parents))[index], leaf)
            attempts += 1
            honoured = honoured or _honoured(before, _plan(changed), path)
    assert attempts, f"no manifest in tests/kinds/{kind}/plan has {path}"
    assert honoured != (f"{kind} {path}" in WITHOUT_EFFECT), f"{path} of {kind} has no effect and is not reported"


@pytest.mark.parametrize("kind", PLANNED)
def test_every_unsupported_field_exists_and_is_reported_when_it_is_set(kind: str) -> None:
    """The tables have paths of the schema with reasons. A misspelt path would never be reported."""
    leaves = set(_leaves(KINDS[kind].message.DESCRIPTOR.fields_by_name["spec"].message_type))
    for entry in modules.load(KINDS[kind]).UNSUPPORTED:
        path = entry.path if entry.path in leaves else f"{entry.path}.value"
        assert path in leaves
        assert entry.reason
        manifest = corpus.read(corpus.plan_manifests(kind)[0])
        *parents, leaf = path.split(".")
        _mutate(functools.reduce(getattr, parents, manifest), leaf)
        result = _plan(manifest)
        assert isinstance(result, errors.PlantonError) == (entry.level is unsupported.Level.REFUSE)
        text = result.message if isinstance(result, errors.PlantonError) else " ".join(result.warnings)
        assert str(entry) in text


@pytest.mark.parametrize("kind", PLANNED)
def test_every_output_is_produced(kind: str) -> None:
    """A module returns exactly the fields of its StackOutputs. Each has a value in some plan of the corpus."""
    names = {field.name for field in KINDS[kind].stack_outputs.DESCRIPTOR.fields}
    produced = set()
    for file in corpus.plan_manifests(kind):
        planned = _plan_of(file)
        assert isinstance(planned, mocks.Planned)
        assert planned.outputs.keys() == names
        produced |= {name for name, value in planned.outputs.items() if value not in ("", None, [], mocks.Secret(""))}
    assert names - produced == {entry.split(" ")[1] for entry in WITHOUT_OUTPUT if entry.startswith(f"{kind} ")}


@pytest.mark.parametrize("kind", PLANNED)
def test_exactly_the_redacted_outputs_are_secret(kind: str) -> None:
    """The engine encrypts the outputs that the schema redacts."""
    redacted = {field.name for field in KINDS[kind].stack_outputs.DESCRIPTOR.fields if field.GetOptions().debug_redact}
    planned = _plan_of(corpus.plan_manifests(kind)[0])
    assert isinstance(planned, mocks.Planned)
    assert {name for name, value in planned.outputs.items() if isinstance(value, mocks.Secret)} == redacted


def _messages(type_: descriptor.Descriptor) -> Iterator[descriptor.Descriptor]:
    yield type_
    for field in type_.fields:
        if field.message_type is not None and not _is_map(field) and not _is_reference(field):
            yield from _messages(field.message_type)


def _references(kind: kinds.Kind) -> Iterator[tuple[str, descriptor.FieldDescriptor]]:
    for type_ in _messages(kind.message.DESCRIPTOR.fields_by_name["spec"].message_type):
        for field in type_.fields:
            if _is_reference(field):
                yield f"{type_.name}.{field.name}", field


REFERENCES = {name: field for kind in KINDS.values() for name, field in _references(kind)}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_every_default_field_path_exists_in_its_target(name: str) -> None:
    """A reference with only a name resolves to a text field of an existing kind."""
    options = REFERENCES[name].GetOptions().Extensions
    name = cloud_resource_kind_pb2.CloudResourceKind.Name(options[foreign_key_pb2.default_kind])
    if name in WITHOUT_KIND:
        assert kinds.find(name) is None
        return
    target = kinds.get(name)
    type_: Any = target.message.DESCRIPTOR
    *parents, leaf = options[foreign_key_pb2.default_kind_field_path].split(".")
    for step in parents:
        type_ = type_.fields_by_name[step].message_type
    field = type_.fields_by_name[leaf]
    assert field.type == descriptor.FieldDescriptor.TYPE_STRING or _is_reference(field)


def _pools() -> dict[str, descriptor.Descriptor]:
    pools = {}
    for kind in KINDS.values():
        for type_ in _messages(kind.message.DESCRIPTOR.fields_by_name["spec"].message_type):
            if "node_count" in type_.fields_by_name:
                pools[type_.name] = type_
    return pools


def _shape(field: descriptor.FieldDescriptor) -> object:
    inner = None
    if field.message_type is not None:
        inner = tuple((inside.name, _shape(inside)) for inside in field.message_type.fields)
    return field.type, field.is_repeated, inner


def test_fields_that_node_pools_share_have_one_name_and_one_type() -> None:
    """Users can transfer their knowledge of one kind of pool to all others."""
    pools = _pools()
    assert len(pools) == 7
    shapes: dict[str, dict[str, object]] = {}
    for owner, type_ in pools.items():
        for field in type_.fields:
            shapes.setdefault(field.name, {})[owner] = _shape(field)
    for name, by_owner in shapes.items():
        assert len(set(by_owner.values())) == 1, f"{name} differs between {sorted(by_owner)}"
    incomplete = {owner for owner, type_ in pools.items() if not set(POOL_FIELDS) <= set(type_.fields_by_name)}
    assert incomplete == set(WITHOUT_POOL_FIELDS)


def _has_module(kind: kinds.Kind) -> bool:
    package = kind.module.rpartition(".")[0]
    return importlib.util.find_spec(package) is not None and importlib.util.find_spec(kind.module) is not None


def test_the_exceptions_are_still_needed() -> None:
    """Every kind has a module. Exceptions without their field or reason must be removed."""
    assert all(_has_module(kind) for kind in KINDS.values())
    assert {f"{kind} {path}" for kind, path in FIELDS} >= set(WITHOUT_EFFECT)
    for exceptions in (WITHOUT_EFFECT, WITHOUT_OUTPUT, WITHOUT_POOL_FIELDS):
        assert all(exceptions.values())


@pytest.mark.parametrize("name", providers.names())
def test_a_cloud_declares_the_secrets_that_its_schema_redacts(name: str) -> None:
    """Redaction in output, logs and states uses the declaration."""
    config = next(kind.provider_config for kind in KINDS.values() if kind.provider == name).DESCRIPTOR
    redacted = {field.name for field in config.fields if field.GetOptions().debug_redact}
    declared = providers.get(name).credentials
    assert {field.name for field in declared if field.is_secret} == redacted
    assert {field.name for field in declared} <= set(config.fields_by_name)


@pytest.mark.parametrize("kind", PLANNED)
def test_a_declaration_names_fields_of_its_schema(kind: str) -> None:
    """The Pulumi type is of the cloud's plugin, and every field exists."""
    type_, declared = KINDS[kind].message.DESCRIPTOR, KINDS[kind].declared
    spec = type_.fields_by_name["spec"].message_type
    plugin = KINDS[kind].cloud.plugin
    assert plugin is not None
    assert declared.type.startswith(f"{plugin.name}:")
    part, _, leaf = declared.cloud_name.partition(".")
    assert leaf in type_.fields_by_name[part].message_type.fields_by_name
    paths = {path.removeprefix("spec.") for path in (*declared.fields.values(), *declared.own_firewall_fields.values())}
    assert paths - {"metadata.name"} <= {field.json_name for field in spec.fields}
    assert declared.credential_field in {"", *spec.fields_by_name}


def test_declarations_are_read_without_pulumi() -> None:
    """Validation reads them, and must not wait for Pulumi's import."""
    script = (
        "import sys; from planton.schema import kinds; [kind.declared.type or exit(1) for kind in kinds.all_kinds()];"
        "sys.exit('pulumi' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


RELATIONS = {
    rule.id: type_
    for kind in KINDS.values()
    for type_ in _messages(kind.message.DESCRIPTOR)
    for rule in type_.GetOptions().Extensions[validate_pb2.message].cel
}
VIOLATED_RELATIONS = [path for path in sorted(corpus.KINDS.glob("*/invalid/*.yaml")) if path.stem.partition("@")[0] in RELATIONS]


def test_every_relation_has_a_manifest_that_violates_it() -> None:
    """The next test checks each of them."""
    assert {path.stem.partition("@")[0] for path in VIOLATED_RELATIONS} == set(RELATIONS)


@pytest.mark.parametrize("path", VIOLATED_RELATIONS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_relation_between_fields_is_reported_at_one_of_them(path: pathlib.Path) -> None:
    """The path is that of a compared field, not of the message."""
    rule = path.stem.partition("@")[0]
    _, violations = load.collect(load.Text(path.name, path.read_bytes()))
    places = [violation.path for violation in violations if violation.rule_id == rule]
    assert places
    for place in places:
        parts = set(re.sub(r"\[[^\]]*\]", "", place).split("."))
        assert place not in ("", "spec", "metadata")
        assert parts & {field.json_name for field in RELATIONS[rule].fields}, place
