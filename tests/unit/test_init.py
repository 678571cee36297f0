"""``planton init``: every combination is valid, canonical, and something that the clouds of the sandbox have."""

import itertools
import pathlib
import re

import pytest
from google.protobuf import message

from planton import cli, errors, modules
from planton.cli import init as command
from planton.manifest import canonical, load, templates
from planton.modules import unsupported
from planton.schema import kinds, providers, references
from planton.state import inventory
from planton_sandbox.clouds.civo import catalogue as civo_catalogue
from planton_sandbox.clouds.digitalocean import catalogue as digitalocean_catalogue
from support import mocks

COMBINATIONS = list(itertools.product(templates.PARTS, ("civo", "digitalocean"), templates.TEMPLATES))
ENVIRONMENTS = list(itertools.product(("civo", "digitalocean"), templates.TEMPLATES))


def made(*arguments: str, **options: str) -> dict[references.Key, message.Message]:
    """The messages of what is written, checked."""
    found = {}
    for file, text in templates.make(*arguments, **options).items():
        documents, violations = load.collect(load.Text(file, text.encode()))
        assert [str(violation) for violation in violations] == []
        found |= {references.key(document.message): document.message for document in documents}
    return found


def of(found: dict[references.Key, message.Message], stem: str) -> list[message.Message]:
    return [value for key, value in found.items() if kinds.get(key.kind).stem == stem]


@pytest.mark.parametrize(("part", "provider", "template"), COMBINATIONS)
def test_every_combination_is_valid_and_canonical(part: str, provider: str, template: str) -> None:
    """Each file is a manifest that breaks no rule and that `planton fmt` leaves alone; it begins with what it is."""
    assert len(made(part, provider, template)) == len(templates.make(part, provider, template)) > 0
    for file, text in templates.make(part, provider, template).items():
        assert canonical.format_text(text.encode(), file=file) == text
        assert text.startswith("# ")
        assert "${" not in text
        assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize(("provider", "template"), ENVIRONMENTS)
def test_an_environment_is_whole(provider: str, template: str) -> None:
    """All that is referred to is there, in an order without circles, with names that belong together."""
    found = made("environment", provider, template, name="shop", env="qa")
    assert {target for value in found.values() for target in references.depends_on(value)} <= set(found)
    assert next(kinds.get(key.kind).stem for key in references.order(found)) == "vpc"
    assert {key.env for key in found} == {"qa"}
    assert all(key.name.startswith("shop-") for key in found)
    parts = [set(made(part, provider, template, name="shop", env="qa")) for part in ("network", "cluster")]
    assert parts[0] | parts[1] == set(found)
    assert parts[0].isdisjoint(parts[1])


@pytest.mark.parametrize(("provider", "template"), ENVIRONMENTS)
def test_the_sandbox_has_it(provider: str, template: str) -> None:
    """Sizes, versions and regions are in the catalogue of the simulated cloud."""
    catalogue = civo_catalogue if provider == "civo" else digitalocean_catalogue
    found = made("environment", provider, template)
    (cluster,) = of(found, "kubernetes_cluster")
    pools = of(found, "kubernetes_node_pool")
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
def test_modules_take_it(template: str) -> None:
    """The modules of Civo plan each manifest, once its references are resolved, and name no field that the cloud cannot honour."""
    found = made("environment", "civo", template)
    outputs = {key: references.unknown_outputs(value) for key, value in found.items()}
    for key, value in found.items():
        resolved = references.resolve(value, outputs.get)
        planned = mocks.plan(mocks.stack_input(resolved))
        assert planned.resources
        assert list(unsupported.used(resolved, modules.load(kinds.get(key.kind)).UNSUPPORTED)) == []
        assert [warning for warning in planned.warnings if "no effect" in warning or "more than" in warning] == []


@pytest.mark.parametrize("provider", ["civo", "digitalocean"])
def test_templates_differ_as_said(provider: str) -> None:
    """Small, two pools, several; prod is protected, restricted, bounded, and highly available where the cloud has it."""
    pools = {template: of(made("nodepool", provider, template), "kubernetes_node_pool") for template in templates.TEMPLATES}
    assert [len(pools[template]) for template in templates.TEMPLATES] == [1, 2, 3]
    assert any(pool.spec.auto_scale and 0 < pool.spec.min_nodes < pool.spec.max_nodes for pool in pools["prod"])
    assert any(pool.spec.taints for pool in pools["prod"])
    assert all(pool.spec.labels["workload"] for pool in pools["prod"])
    (cluster,) = of(made("cluster", provider, "prod"), "kubernetes_cluster")
    assert cluster.metadata.annotations[inventory.PROTECTION_ANNOTATION] == "true"
    assert list(cluster.spec.tags)
    for template in ("staging", "prod"):
        text = "".join(templates.make("environment", provider, template).values())
        assert re.search(r"# REPLACE: .*\n(.*cidrs|.*AllowedIps):\n +- 203\.0\.113\.0/24\n", text)
    if provider == "digitalocean":
        assert cluster.spec.highly_available
        assert cluster.spec.maintenance_window


def test_the_choices_of_the_command_are_those_of_the_templates() -> None:
    """The command knows them without reading the templates, for its help."""
    assert set(command._PARTS) == set(templates.PARTS)
    assert command._TEMPLATES == templates.TEMPLATES
    choice = next(parameter for parameter in command.init.params if parameter.name == "provider").type
    assert list(choice.choices) == list(providers.names())
    folders = {path.parent.relative_to(pathlib.Path(templates.__file__).parent) for path in _files()}
    assert folders == {pathlib.Path(provider, template) for provider, template in ENVIRONMENTS}


def _files() -> list[pathlib.Path]:
    return list(pathlib.Path(templates.__file__).parent.rglob("*.yaml"))


def run(*arguments: object) -> int:
    return cli.main(["init", *map(str, arguments)])


def test_files_are_written_once(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a folder that is made; what is there is not touched without --force."""
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


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """A dash writes one stream of documents, which can be applied as it is."""
    assert run("environment", "--provider", "digitalocean", "--template", "prod", "--region", "LON1", "-o", "-") == 0
    documents, violations = load.collect(load.Text("-", capsys.readouterr().out.encode()))
    assert violations == []
    assert len(documents) == 5
    assert {references.own_region(document.message) for document in documents} == {"lon1", ""}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cluster", "--provider", "civo", "--name", "Shop"), "the name 'Shop' must be at most 48 lower-case letters"),
        (("cluster", "--provider", "civo", "--env", "a" * 49), "the environment"),
        (("cluster", "--provider", "civo", "--name", "a: b"), "the name 'a: b'"),
        (("cluster", "--provider", "civo", "--region", "lom1"), "did you mean 'lon1'?"),
        (("cluster", "--provider", "digitalocean", "--region", "phx1"), "has no region 'phx1'"),
        (("cluster",), "--provider"),
        (("clusters", "--provider", "civo"), "clusters"),
        (("cluster", "--provider", "civo", "-o", __file__), "cannot create the folder"),
    ],
)
def test_what_cannot_be_made(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One clear error, and nothing is written."""
    assert run("-o", "-", *arguments) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("env", ["no", "y", "null", "on"])
def test_environments_that_yaml_would_misread(env: str) -> None:
    """Their names are quoted."""
    assert {key.env for key in made("network", "civo", "dev", name="a", env=env)} == {env}
