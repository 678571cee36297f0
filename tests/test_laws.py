"""Laws that hold for every kind, checked by reflection over the schema: nobody has to think of them when a kind is added."""

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
    "CivoVpc created_at_rfc3339": "the cloud does not tell when a network was made",
    "CivoFirewall created_at_rfc3339": "the cloud does not tell when a firewall was made",
}
#: Fields of node pools that some pools lack, with the reason.
POOL_FIELDS = ("size", "node_count", "auto_scale", "min_nodes", "max_nodes", "labels", "taints")
WITHOUT_POOL_FIELDS = {
    "CivoKubernetesClusterDefaultNodePool": "the cloud's plugin ignores labels and taints of a default pool; it is not autoscaled",
}
_OTHER_ID = "55555555-5555-4555-8555-555555555555"
_OTHER_VALUES = {"talos": "k3s", "k3s": "talos", "cilium": "flannel", "flannel": "cilium", "1.30.5+k3s1": "1.29.8-k3s1"}

KINDS = {kind.name: kind for kind in kinds.all_kinds()}
PLANNED = sorted(KINDS)


def _is_reference(field: descriptor.FieldDescriptor) -> bool:
    return field.message_type is foreign_key_pb2.StringValueOrRef.DESCRIPTOR


def _is_map(field: descriptor.FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _leaves(described: descriptor.Descriptor, path: str = "spec") -> Iterator[str]:
    for field in described.fields:
        here = f"{path}.{field.name}"
        if _is_reference(field):
            yield from (f"{here}.value", f"{here}.value_from")
        elif field.message_type is None or _is_map(field):
            yield here
        else:
            yield from _leaves(field.message_type, here)


def _holders(value: message.Message, steps: list[str]) -> Iterator[message.Message]:
    # Every message that a path leads to; an entry of a list that is not there is none.
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
    # A cluster that runs its version may keep it, whatever else changes.
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
    spoken = unsupported.json_path(path.removesuffix(".value").removesuffix(".value_from")).split(".")[-1]
    if isinstance(after, errors.PlantonError):
        return spoken in f"{after.message} {after.hint}"
    said = " ".join(warning for warning in after.warnings if warning not in before.warnings)
    return before.resources != after.resources or spoken in said


FIELDS = [
    (kind, path) for kind in PLANNED for path in _leaves(KINDS[kind].message.DESCRIPTOR.fields_by_name["spec"].message_type)
]


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=lambda value: value)
def test_every_spec_field_changes_the_plan_or_is_refused_or_warned_about(kind: str, path: str) -> None:
    """Nothing of a manifest is dropped in silence: each leaf, changed by itself, makes a difference or is named."""
    *parents, leaf = path.split(".")[1:]
    tried, honoured = 0, False
    for file in corpus.plan_manifests(kind):
        manifest = corpus.read(file)
        before = _plan_of(file)
        assert isinstance(before, mocks.Planned), f"{file.name} cannot be planned: {before}"
        for index in range(len(list(_holders(manifest.spec, parents)))):
            changed = corpus.read(file)
            _mutate(list(_holders(changed.spec, parents))[index], leaf)
            tried += 1
            honoured = honoured or _honoured(before, _plan(changed), path)
    assert tried, f"no manifest in tests/kinds/{kind}/plan has {path}"
    assert honoured != (f"{kind} {path}" in WITHOUT_EFFECT), f"{path} of {kind} has no effect and nothing says so"


@pytest.mark.parametrize("kind", PLANNED)
def test_every_unsupported_field_exists_and_is_said_when_it_is_set(kind: str) -> None:
    """The tables name fields of the schema, with a reason; a refusal cannot hide behind a misspelt path."""
    leaves = set(_leaves(KINDS[kind].message.DESCRIPTOR.fields_by_name["spec"].message_type))
    for entry in modules.load(KINDS[kind]).UNSUPPORTED:
        assert entry.path in leaves
        assert entry.reason
        manifest = corpus.read(corpus.plan_manifests(kind)[0])
        _mutate(manifest.spec, entry.path.split(".")[-1])
        result = _plan(manifest)
        assert isinstance(result, errors.PlantonError) == (entry.level is unsupported.Level.REFUSE)
        said = result.message if isinstance(result, errors.PlantonError) else " ".join(result.warnings)
        assert str(entry) in said


@pytest.mark.parametrize("kind", PLANNED)
def test_every_output_is_produced(kind: str) -> None:
    """A module yields just the fields of its StackOutputs, and each has a value in some plan of the corpus."""
    names = {field.name for field in KINDS[kind].stack_outputs.DESCRIPTOR.fields}
    produced = set()
    for file in corpus.plan_manifests(kind):
        planned = _plan_of(file)
        assert isinstance(planned, mocks.Planned)
        assert planned.outputs.keys() == names
        produced |= {name for name, value in planned.outputs.items() if value not in ("", None, [], mocks.Secret(""))}
    assert names - produced == {entry.split(" ")[1] for entry in WITHOUT_OUTPUT if entry.startswith(f"{kind} ")}


@pytest.mark.parametrize("kind", PLANNED)
def test_every_secret_output_is_secret_in_the_plan_and_no_other(kind: str) -> None:
    """What the schema redacts, the engine encrypts."""
    redacted = {field.name for field in KINDS[kind].stack_outputs.DESCRIPTOR.fields if field.GetOptions().debug_redact}
    planned = _plan_of(corpus.plan_manifests(kind)[0])
    assert isinstance(planned, mocks.Planned)
    assert {name for name, value in planned.outputs.items() if isinstance(value, mocks.Secret)} == redacted


def _messages(described: descriptor.Descriptor) -> Iterator[descriptor.Descriptor]:
    yield described
    for field in described.fields:
        if field.message_type is not None and not _is_map(field) and not _is_reference(field):
            yield from _messages(field.message_type)


def _references(kind: kinds.Kind) -> Iterator[tuple[str, descriptor.FieldDescriptor]]:
    for described in _messages(kind.message.DESCRIPTOR.fields_by_name["spec"].message_type):
        for field in described.fields:
            if _is_reference(field):
                yield f"{described.name}.{field.name}", field


REFERENCES = {name: field for kind in KINDS.values() for name, field in _references(kind)}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_every_default_field_path_exists_in_its_target(name: str) -> None:
    """A reference that says only a name leads to a kind that is known and to a text field that it has."""
    options = REFERENCES[name].GetOptions().Extensions
    target = kinds.get(cloud_resource_kind_pb2.CloudResourceKind.Name(options[foreign_key_pb2.default_kind]))
    described: Any = target.message.DESCRIPTOR
    *parents, leaf = options[foreign_key_pb2.default_kind_field_path].split(".")
    for step in parents:
        described = described.fields_by_name[step].message_type
    assert described.fields_by_name[leaf].type == descriptor.FieldDescriptor.TYPE_STRING


def _pools() -> dict[str, descriptor.Descriptor]:
    found = {}
    for kind in KINDS.values():
        for described in _messages(kind.message.DESCRIPTOR.fields_by_name["spec"].message_type):
            if "node_count" in described.fields_by_name:
                found[described.name] = described
    return found


def _shape(field: descriptor.FieldDescriptor) -> object:
    inner = None
    if field.message_type is not None:
        inner = tuple((inside.name, _shape(inside)) for inside in field.message_type.fields)
    return field.type, field.is_repeated, inner


def test_fields_that_node_pools_share_have_one_name_and_one_type() -> None:
    """Who knows one kind of pool knows all: the same names, of the same shape."""
    pools = _pools()
    assert len(pools) == 6
    shapes: dict[str, dict[str, object]] = {}
    for owner, described in pools.items():
        for field in described.fields:
            shapes.setdefault(field.name, {})[owner] = _shape(field)
    for name, by_owner in shapes.items():
        assert len(set(by_owner.values())) == 1, f"{name} differs between {sorted(by_owner)}"
    lacking = {owner for owner, described in pools.items() if not set(POOL_FIELDS) <= set(described.fields_by_name)}
    assert lacking == set(WITHOUT_POOL_FIELDS)


def _has_module(kind: kinds.Kind) -> bool:
    package = kind.module.rpartition(".")[0]
    return importlib.util.find_spec(package) is not None and importlib.util.find_spec(kind.module) is not None


def test_the_exceptions_are_true() -> None:
    """Every kind has a module, and no exception outlives its field or its reason."""
    assert all(_has_module(kind) for kind in KINDS.values())
    assert {f"{kind} {path}" for kind, path in FIELDS} >= set(WITHOUT_EFFECT)
    for exceptions in (WITHOUT_EFFECT, WITHOUT_OUTPUT, WITHOUT_POOL_FIELDS):
        assert all(exceptions.values())


@pytest.mark.parametrize("name", providers.names())
def test_a_cloud_declares_the_secrets_that_its_schema_redacts(name: str) -> None:
    """Redaction in texts, logs and states follows the declaration."""
    config = next(kind.provider_config for kind in KINDS.values() if kind.provider == name).DESCRIPTOR
    redacted = {field.name for field in config.fields if field.GetOptions().debug_redact}
    declared = providers.get(name).credentials
    assert {field.name for field in declared if field.is_secret} == redacted
    assert {field.name for field in declared} <= set(config.fields_by_name)


@pytest.mark.parametrize("kind", PLANNED)
def test_a_declaration_names_fields_of_its_schema(kind: str) -> None:
    """The Pulumi type is of the cloud's plugin, and every field exists."""
    described, declared = KINDS[kind].message.DESCRIPTOR, KINDS[kind].declared
    spec = described.fields_by_name["spec"].message_type
    plugin = KINDS[kind].cloud.plugin
    assert plugin is not None
    assert declared.type.startswith(f"{plugin.name}:")
    part, _, leaf = declared.cloud_name.partition(".")
    assert leaf in described.fields_by_name[part].message_type.fields_by_name
    paths = {path.removeprefix("spec.") for path in (*declared.fields.values(), *declared.own_firewall_fields.values())}
    assert paths - {"metadata.name"} <= {field.json_name for field in spec.fields}
    assert declared.credential_field in {"", *spec.fields_by_name}


def test_declarations_are_read_without_pulumi() -> None:
    """Validation reads them, and must not wait for it."""
    script = (
        "import sys; from planton.schema import kinds; [kind.declared.type or exit(1) for kind in kinds.all_kinds()];"
        "sys.exit('pulumi' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


RELATIONS = {
    rule.id: described
    for kind in KINDS.values()
    for described in _messages(kind.message.DESCRIPTOR)
    for rule in described.GetOptions().Extensions[validate_pb2.message].cel
}
BROKEN_RELATIONS = [path for path in sorted(corpus.KINDS.glob("*/invalid/*.yaml")) if path.stem.partition("@")[0] in RELATIONS]


def test_every_relation_has_a_manifest_that_breaks_it() -> None:
    """So the next test looks at each of them."""
    assert {path.stem.partition("@")[0] for path in BROKEN_RELATIONS} == set(RELATIONS)


@pytest.mark.parametrize("path", BROKEN_RELATIONS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_rule_between_fields_names_a_field(path: pathlib.Path) -> None:
    """The violation is at one of the fields that the rule compares, not at the message around them."""
    rule = path.stem.partition("@")[0]
    _, violations = load.collect(load.Text(path.name, path.read_bytes()))
    places = [violation.path for violation in violations if violation.rule_id == rule]
    assert places
    for place in places:
        parts = set(re.sub(r"\[[^\]]*\]", "", place).split("."))
        assert place not in ("", "spec", "metadata")
        assert parts & {field.json_name for field in RELATIONS[rule].fields}, place
