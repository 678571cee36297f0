"""``planton init``: every combination is valid, canonical, and available in the clouds of the sandbox."""

import itertools
import pathlib
import re

import click
import pytest
from google.protobuf import message

from planton import cli, errors, modules
from planton.cli import init as command
from planton.manifest import canonical, load, templates
from planton.modules import unsupported
from planton.schema import deletion, kinds, providers, references
from planton_sandbox.clouds.civo import catalogue as civo_catalogue
from planton_sandbox.clouds.digitalocean import catalogue as digitalocean_catalogue
from planton_sandbox.clouds.gcp import catalogue as gcp_catalogue
from planton_sandbox.clouds.gcp import versions as gcp_versions
from support import mocks

WITH_NETWORKS = ("civo", "digitalocean")
ENVIRONMENTS = list(itertools.product(providers.names(), templates.TEMPLATES))
COMBINATIONS = [
    (part, provider, template)
    for part, (provider, template) in itertools.product(templates.PARTS, ENVIRONMENTS)
    if part != "network" or provider in WITH_NETWORKS
]


def generated(*arguments: str, **options: str) -> dict[references.Key, message.Message]:
    """Returns the validated messages of generated files."""
    messages = {}
    for file, text in templates.make(*arguments, **options).items():
        documents, violations = load.collect(load.Text(file, text.encode()))
        assert [str(violation) for violation in violations] == []
        messages |= {references.key(document.message): document.message for document in documents}
    return messages


def of(messages: dict[references.Key, message.Message], stem: str) -> list[message.Message]:
    return [value for key, value in messages.items() if kinds.get(key.kind).stem == stem]


@pytest.mark.parametrize(("part", "provider", "template"), COMBINATIONS)
def test_every_combination_is_valid_and_canonical(part: str, provider: str, template: str) -> None:
    """Each file starts with a comment, passes validation, and is unchanged by `planton fmt`."""
    assert len(generated(part, provider, template)) == len(templates.make(part, provider, template)) > 0
    for file, text in templates.make(part, provider, template).items():
        assert canonical.format_text(text.encode(), file=file) == text
        assert text.startswith("# ")
        assert "${" not in text
        assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize(("provider", "template"), itertools.product(WITH_NETWORKS, templates.TEMPLATES))
def test_an_environment_is_complete(provider: str, template: str) -> None:
    """Every dependency is part of it, without cycles, and the names share a prefix."""
    messages = generated("environment", provider, template, name="shop", env="qa")
    assert {target for value in messages.values() for target in references.depends_on(value)} <= set(messages)
    assert next(kinds.get(key.kind).stem for key in references.order(messages)) == "vpc"
    assert {key.env for key in messages} == {"qa"}
    assert all(key.name.startswith("shop-") for key in messages)
    parts = [set(generated(part, provider, template, name="shop", env="qa")) for part in ("network", "cluster")]
    assert parts[0] | parts[1] == set(messages)
    assert parts[0].isdisjoint(parts[1])


@pytest.mark.parametrize("template", templates.TEMPLATES)
def test_an_environment_of_google_cloud_is_a_cluster_with_pools_in_an_existing_network(template: str) -> None:
    """Version, location and sizes are those of the simulated cloud, and the modules accept each file."""
    messages = generated("environment", "gcp", template, name="shop", env="qa")
    assert {target for value in messages.values() for target in references.depends_on(value)} <= set(messages)
    (cluster,) = of(messages, "gke_cluster")
    pools = of(messages, "gke_node_pool")
    zones = gcp_catalogue.zones_of(cluster.spec.location)
    assert zones
    assert gcp_versions.find(cluster.spec.kubernetes_version, gcp_versions.offered(_channel(cluster)), usual="")
    for pool in pools:
        machine = gcp_catalogue.machine(pool.spec.machine_type)
        assert machine is not None
        assert all(gcp_catalogue.machine_in(machine, zone) for zone in zones)
    assert len(pools) == {"dev": 1, "staging": 2, "prod": 3}[template]
    assert (cluster.metadata.annotations[deletion.PROTECTION_ANNOTATION] == "true") == (template == "prod")
    assert list(cluster.spec.master_authorized_networks) == ["203.0.113.0/24"]
    outputs = {key: references.unknown_outputs(value) for key, value in messages.items()}
    for value in messages.values():
        planned = mocks.plan(mocks.stack_input(references.resolve(value, outputs.get)), cloud=mocks.Gcp())
        assert planned.warnings == []


def _channel(cluster: message.Message) -> str:
    return (
        type(cluster.spec)
        .DESCRIPTOR.fields_by_name["release_channel"]
        .enum_type.values_by_number[cluster.spec.release_channel]
        .name
    )


@pytest.mark.parametrize(("provider", "template"), itertools.product(WITH_NETWORKS, templates.TEMPLATES))
def test_sizes_versions_and_regions_exist_in_the_sandbox(provider: str, template: str) -> None:
    """The catalogue of the simulated cloud has them."""
    catalogue = civo_catalogue if provider == "civo" else digitalocean_catalogue
    messages = generated("environment", provider, template)
    (cluster,) = of(messages, "kubernetes_cluster")
    pools = of(messages, "kubernetes_node_pool")
    for size in (cluster.spec.default_node_pool.size, *(pool.spec.size for pool in pools)):
        assert catalogue.size(size) is not None
    if provider == "civo":
        assert catalogue.version(cluster.spec.kubernetes_version) is not None
        assert all(catalogue.application(name) for name in cluster.spec.applications)
        assert catalogue.region(references.own_region(cluster).upper())
    else:
        assert catalogue.version(cluster.spec.kubernetes_version) == cluster.spec.kubernetes_version
        assert catalogue.region(references.own_region(cluster))


@pytest.mark.parametrize("template", templates.TEMPLATES)
def test_modules_accept_every_template(template: str) -> None:
    """Civo's modules plan each manifest with resolved references and warn about no field."""
    messages = generated("environment", "civo", template)
    outputs = {key: references.unknown_outputs(value) for key, value in messages.items()}
    for key, value in messages.items():
        resolved = references.resolve(value, outputs.get)
        planned = mocks.plan(mocks.stack_input(resolved))
        assert planned.resources
        assert list(unsupported.used(resolved, modules.load(kinds.get(key.kind)).UNSUPPORTED)) == []
        assert [warning for warning in planned.warnings if "no effect" in warning or "more than" in warning] == []


@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_templates_differ_as_documented(provider: str) -> None:
    """They have one, two, and three pools. Production is protected, restricted, bounded, and highly available where possible."""
    pools = {template: of(generated("nodepool", provider, template), "kubernetes_node_pool") for template in templates.TEMPLATES}
    assert [len(pools[template]) for template in templates.TEMPLATES] == [1, 2, 4]
    assert any(pool.spec.auto_scale and 0 < pool.spec.min_nodes < pool.spec.max_nodes for pool in pools["prod"])
    assert any(pool.spec.taints for pool in pools["prod"])
    assert all(pool.spec.labels["workload"] for pool in pools["prod"])
    (cluster,) = of(generated("cluster", provider, "prod"), "kubernetes_cluster")
    assert cluster.metadata.annotations[deletion.PROTECTION_ANNOTATION] == "true"
    assert list(cluster.spec.tags)
    for template in ("staging", "prod"):
        text = "".join(templates.make("environment", provider, template).values())
        assert re.search(r"# REPLACE: .*\n(.*cidrs|.*AllowedIps):\n +- 203\.0\.113\.0/24\n", text)
    if provider == "digitalocean":
        assert cluster.spec.highly_available
        assert cluster.spec.maintenance_window


def test_the_choices_of_the_command_are_those_of_the_templates() -> None:
    """The command's help needs them without loading the templates."""
    choices = {each.name: list(each.type.choices) for each in command.init.params if isinstance(each.type, click.Choice)}
    assert set(choices["part"]) == set(templates.PARTS)
    assert choices["template"] == list(templates.TEMPLATES)
    assert choices["provider"] == list(providers.names())
    folders = {path.parent.relative_to(pathlib.Path(templates.__file__).parent) for path in _files()}
    assert folders == {pathlib.Path(provider, template) for provider, template in ENVIRONMENTS}


def _files() -> list[pathlib.Path]:
    return list(pathlib.Path(templates.__file__).parent.rglob("*.yaml"))


def run(*arguments: object) -> int:
    return cli.main(["init", *map(str, arguments)])


def test_existing_files_are_replaced_only_with_force(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing folders are created."""
    folder = tmp_path / "new" / "dev"
    assert run("environment", "--provider", "civo", "-o", folder) == 0
    captured = capsys.readouterr()
    written = ["network.yaml", "firewall.yaml", "cluster.yaml", "pool-workers.yaml"]
    assert captured.out.split() == [str(folder / name) for name in written]
    assert f"planton plan -f {folder}" in captured.err
    assert cli.main(["validate", str(folder)]) == 0
    (folder / "cluster.yaml").write_text("mine", "utf-8")
    (folder / "network.yaml").unlink()
    assert run("environment", "--provider", "civo", "-o", folder) == errors.Code.REFUSED
    assert "are there already" in capsys.readouterr().err
    assert (folder / "cluster.yaml").read_text("utf-8") == "mine"
    assert not (folder / "network.yaml").exists()
    assert run("environment", "--provider", "civo", "-o", folder, "--force") == 0
    assert "kind: CivoKubernetesCluster" in (folder / "cluster.yaml").read_text("utf-8")


def test_a_dash_writes_one_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """The stream can be applied directly."""
    assert run("environment", "--provider", "digitalocean", "--template", "prod", "--region", "LON1", "-o", "-") == 0
    documents, violations = load.collect(load.Text("-", capsys.readouterr().out.encode()))
    assert violations == []
    assert len(documents) == 6
    assert {references.own_region(document.message) for document in documents} == {"lon1", ""}


@pytest.mark.parametrize(
    ("arguments", "expected_text"),
    [
        (
            ("cluster", "--provider", "gcp", "--name", f"n{'a' * 32}"),
            "must be at most 32 lower-case letters",
        ),
        (("cluster", "--provider", "civo", "--name", "Shop"), "the name 'Shop' must be at most 48 lower-case letters"),
        (("cluster", "--provider", "civo", "--env", "a" * 49), "the environment"),
        (("cluster", "--provider", "civo", "--name", "a: b"), "the name 'a: b'"),
        (("cluster", "--provider", "civo", "--region", "lom1"), "did you mean 'lon1'?"),
        (("cluster", "--provider", "digitalocean", "--region", "phx1"), "has no region 'phx1'"),
        (("network", "--provider", "gcp"), "gcp has no template of a network"),
        (("cluster",), "--provider"),
        (("clusters", "--provider", "civo"), "clusters"),
        (("cluster", "--provider", "civo", "-o", __file__), "cannot create the folder"),
    ],
)
def test_an_invalid_choice_is_one_error(
    arguments: tuple[str, ...], expected_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written."""
    assert run("-o", "-", *arguments) == 2
    captured = capsys.readouterr()
    assert expected_text in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("env", ["no", "y", "null", "on"])
def test_names_that_yaml_would_misread_are_quoted(env: str) -> None:
    """Some plain names are booleans or null in YAML."""
    assert {key.env for key in generated("network", "civo", "dev", name="a", env=env)} == {env}
