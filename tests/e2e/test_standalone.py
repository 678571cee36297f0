"""The standalone projects of iac/ for both clouds, on the real engine against the sandbox; each test prints how (``support.projects``)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
import yaml
from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton.engine import launchers
from planton.manifest import stack_input
from support import projects
from support.projects import IAC, LITERAL, World

PROJECTS = {
    "civo": ("vpc", "firewall", "kubernetes_cluster", "kubernetes_node_pool"),
    "digitalocean": ("vpc", "kubernetes_cluster", "kubernetes_node_pool"),
}
VPC: dict[str, Any] = {
    "apiVersion": "civo.project-planton.org/v1",
    "kind": "CivoVpc",
    "metadata": {"name": "main", "env": "dev"},
    "spec": {"civoCredentialId": "default", "networkName": "net-a", "region": "lon1", "ipRangeCidr": "10.20.0.0/24"},
}


@pytest.fixture
def world(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox with the stand-in provider, in an environment that points at it and names no stack input."""
    with projects.world(tmp_path, monkeypatch) as made:
        yield made


def _input(target: dict[str, Any], **config: Any) -> str:
    return str(yaml.safe_dump({"target": target, "provider_config": {"default_region": "lon1", **config}}))


def _changes(preview: automation.PreviewResult) -> dict[str, int]:
    counted = {str(getattr(action, "value", action)): count for action, count in preview.change_summary.items()}
    return {action: count for action, count in counted.items() if action != "same" and count}


def _labels(world: World) -> set[str]:
    return {network["label"] for network in world.sandbox.call("GET", "/networks").body}


@pytest.mark.parametrize(
    "way", ["config", "text variable", "file variable", "yaml beside Pulumi.yaml", "json beside Pulumi.yaml"]
)
def test_a_stack_input_is_found_in_each_of_its_places(way: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first place that has one is taken, and the network comes up; it stays and goes."""
    folder = world.project("vpc")
    monkeypatch.chdir(folder)
    text = _input(VPC)
    # What stands further back in the order must not be read.
    wrong = _input({**VPC, "spec": {**VPC["spec"], "networkName": "wrong"}})
    elsewhere = world.folder / "elsewhere.yaml"
    if way == "config":
        monkeypatch.setenv("STACK_INPUT_YAML", wrong)
    elif way == "text variable":
        monkeypatch.setenv("STACK_INPUT_YAML", text)
        monkeypatch.setenv("STACK_INPUT_YAML_FILE", str(elsewhere))
        elsewhere.write_text(wrong, "utf-8")
    elif way == "file variable":
        monkeypatch.setenv("STACK_INPUT_YAML_FILE", str(elsewhere))
        elsewhere.write_text(text, "utf-8")
        (folder / "stack-input.yaml").write_text(wrong, "utf-8")
    elif way.startswith("yaml"):
        (folder / "stack-input.yaml").write_text(text, "utf-8")
    else:
        (folder / "stack-input.json").write_text(stack_input.dumps(yaml.safe_load(text)), "utf-8")
        (folder / "stack-input.yaml").write_text(wrong, "utf-8")
    stack = world.open(folder, config=text if way == "config" else "")
    result = stack.up()
    assert result.outputs["network_id"].value
    assert result.outputs["cidr_block"].value == "10.20.0.0/24"
    assert "net-a" in _labels(world)
    assert "wrong" not in _labels(world)
    if way == "config":
        assert _changes(stack.preview()) == {}
        stack.destroy()
        assert "net-a" not in _labels(world)


def test_a_token_of_the_environment_is_in_no_plain_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack input needs no secret, and the state keeps none readable."""
    folder = world.project("vpc")
    monkeypatch.chdir(folder)
    world.open(folder, config=_input(VPC)).up()
    for path in (path for path in [*world.folder.glob("state/**/*"), *folder.rglob("*")] if path.is_file()):
        assert world.sandbox.token.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["no stack input", "planton stack-input -f MANIFEST"]),
        ("target: [", ["config planton-cloud:stack-input"]),
        (_input({**VPC, "kind": "CivoVPC"}), ["CivoVpc"]),
        (
            _input({**VPC, "spec": {**VPC["spec"], "isDefaultForRegion": True}}),
            ["spec.isDefaultForRegion", "--allow-unsupported"],
        ),
        (_input({**VPC, "spec": {**VPC["spec"], "civoCredentialId": "acme"}}), ["unknown credential 'acme'"]),
    ],
)
def test_a_refusal_is_told_without_a_traceback(text: str, said: list[str], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user sees what is wrong and what to do, and not where in the program it was found."""
    folder = world.project("vpc")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PLANTON_CREDENTIALS", str(world.folder / "credentials.yaml"))
    with pytest.raises(automation_errors.CommandError) as caught:
        world.open(folder, config=text).up()
    for part in said:
        assert part in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "net-a" not in _labels(world)


def _example(cloud: str, name: str, **spec: Any) -> str:
    example = yaml.safe_load((IAC / cloud / name / "stack-input.example.yaml").read_text("utf-8"))
    example["target"]["spec"] |= spec
    return str(yaml.safe_dump(example))


@pytest.mark.parametrize("cloud", PROJECTS)
def test_the_examples_make_a_cluster_and_scale_its_pool(cloud: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example stack inputs fit together, each next plan is empty, scaling keeps the nodes, and all is destroyed."""
    stacks = {}
    outputs = {}
    for name in PROJECTS[cloud]:
        folder = world.project(name, cloud=cloud)
        shutil.copy(folder / "stack-input.example.yaml", folder / "stack-input.yaml")
        monkeypatch.chdir(folder)
        stacks[name] = world.open(folder)
        outputs[name] = {key: output.value for key, output in stacks[name].up().outputs.items()}
        assert _changes(stacks[name].preview()) == {}, name
    made = world.sandbox.control.resources(cloud)
    assert [cluster["name"] for cluster in made["clusters"]] == ["dev-cluster"]
    assert "dev-network" in json.dumps(made)
    before = outputs["kubernetes_node_pool"]["node_ids"]
    assert len(before) == 2
    folder = world.folder / "kubernetes_node_pool"
    (folder / "stack-input.yaml").write_text(_example(cloud, "kubernetes_node_pool", nodeCount=4), "utf-8")
    after = stacks["kubernetes_node_pool"].up().outputs["node_ids"].value
    assert after[:2] == before
    assert len(after) == 4
    for name in reversed(stacks):
        monkeypatch.chdir(world.folder / name)
        stacks[name].destroy()
    remaining = world.sandbox.control.resources(cloud)
    assert not remaining["clusters"]
    assert "dev-network" not in json.dumps(remaining)


def test_a_project_in_an_empty_folder_needs_two_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without the repository writes a Pulumi.yaml and three lines of Python, as docs/extend/standalone.md says."""
    folder = world.folder / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "Pulumi.yaml").write_text("name: my-network\nruntime: python\n", "utf-8")
    (folder / "__main__.py").write_text('"""A network."""\n\nfrom planton import modules\n\nmodules.main()\n', "utf-8")
    (folder / "stack-input.yaml").write_text(_input(VPC, api_token=world.sandbox.token), "utf-8")
    monkeypatch.delenv("CIVO_TOKEN")
    assert world.open(folder).up().outputs["network_id"].value


def _adopt(name: str, id_: str) -> Callable[[], None]:
    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.name != name:
            return None
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(import_=id_))
        )

    return lambda: pulumi.runtime.register_stack_transformation(transform)


@dataclasses.dataclass(frozen=True)
class Imported:
    """A row of the table in docs/extend/standalone.md: what a resource is imported as, and the output that holds its id."""

    cloud: str
    project: str
    type: str
    name: str
    output: str

    def __str__(self) -> str:
        """Return how the test is called."""
        return f"{self.cloud}-{self.project}"


IMPORTED = [
    Imported("civo", "vpc", "civo:index/network:Network", "network", "network_id"),
    Imported("civo", "firewall", "civo:index/firewall:Firewall", "firewall", "firewall_id"),
    Imported("civo", "kubernetes_cluster", "civo:index/kubernetesCluster:KubernetesCluster", "cluster", "cluster_id"),
    Imported("civo", "kubernetes_node_pool", "civo:index/kubernetesNodePool:KubernetesNodePool", "node_pool", "node_pool_id"),
    Imported("digitalocean", "vpc", "digitalocean:index/vpc:Vpc", "network", "vpc_id"),
    Imported(
        "digitalocean", "kubernetes_cluster", "digitalocean:index/kubernetesCluster:KubernetesCluster", "cluster", "cluster_id"
    ),
    Imported(
        "digitalocean",
        "kubernetes_node_pool",
        "digitalocean:index/kubernetesNodePool:KubernetesNodePool",
        "node_pool",
        "node_pool_id",
    ),
]


def _import(world: World, folder: pathlib.Path, config: str, what: Imported, id_: str) -> automation.Stack:
    # `pulumi import --generate-code=false` after an `up` of the provider alone; the substitute is the option `import_`.
    if not LITERAL:
        world.open(folder, config=config, before=_adopt(what.name, id_)).up()
        return world.open(folder, config=config)
    stack = world.open(folder, config=config)
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))["name"]
    provider = f"urn:pulumi:test::{project}::pulumi:providers:{what.cloud}::{what.cloud}"
    stack.up(target=[provider])
    stack.import_resources(
        resources=[{"type": what.type, "name": what.name, "id": id_, "provider": what.cloud}],
        name_table={what.cloud: provider},
        generate_code=False,
        protect=False,
    )
    stack.up()
    return stack


def _provider_of(stack: automation.Stack, name: str) -> str:
    resources = stack.export_stack().deployment["resources"]
    return str(next(r["provider"] for r in resources if r["urn"].endswith(f"::{name}")))


def _to_adopt(what: Imported, made: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Return the stack input that fits what was made, and the id to import it by."""
    id_ = str(made[what.project][what.output])
    if what.cloud != "civo":
        return _example(what.cloud, what.project), id_
    if what.project == "kubernetes_node_pool":
        id_ = f"{made['kubernetes_cluster']['cluster_id']}:{id_}"
    if what.project != "kubernetes_cluster":
        return _example(what.cloud, what.project), id_
    # The firewall that was made with it belongs to the other stack.
    document = yaml.safe_load(_example(what.cloud, what.project, firewall={"value": made["firewall"]["firewall_id"]}))
    del document["target"]["spec"]["apiServerAllowedCidrs"]
    return str(yaml.safe_dump(document)), id_


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Made]]:
    """Returns a cloud in which the projects have made what their examples say; what is imported from it stays as it is."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda cloud: stack.enter_context(_made(tmp_path_factory.mktemp(cloud), cloud)))


@dataclasses.dataclass(frozen=True)
class Made:
    """A world, and the outputs of its projects."""

    world: World
    outputs: dict[str, dict[str, Any]]


@contextlib.contextmanager
def _made(folder: pathlib.Path, cloud: str) -> Iterator[Made]:
    outputs: dict[str, dict[str, Any]] = {}
    with pytest.MonkeyPatch.context() as patch, projects.world(folder, patch) as world:
        for name in PROJECTS[cloud]:
            project = world.project(name, cloud=cloud)
            patch.chdir(project)
            stack = world.open(project, config=_example(cloud, name))
            outputs[name] = {key: output.value for key, output in stack.up().outputs.items()}
        yield Made(world, outputs)


@pytest.mark.parametrize("what", IMPORTED, ids=str)
def test_an_imported_resource_keeps_its_provider_and_needs_no_change(
    what: Imported, made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What exists in the cloud is adopted, and the plan after that is empty."""
    world, outputs = made(what.cloud).world, made(what.cloud).outputs
    # The program of the substitute runs in this process.
    for name, value in world.sandbox.env.items():
        monkeypatch.setenv(name, value)
    document, id_ = _to_adopt(what, outputs)
    name = f"adopting-{what.project}"
    elsewhere = pathlib.Path(shutil.copytree(IAC / what.cloud / what.project, world.folder / name))
    (elsewhere / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n", "utf-8")
    monkeypatch.chdir(elsewhere)
    mark = world.sandbox.control.mark()
    adopted = _import(world, elsewhere, document, what, id_)
    assert _changes(adopted.preview()) == {}
    assert f"pulumi:providers:{what.cloud}::{what.cloud}::" in _provider_of(adopted, what.name)
    posted = [request for request in world.sandbox.control.requests(mark, what.cloud) if request["method"] == "POST"]
    assert posted == []


def _pulumi(world: World, folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the literal command in a project, with the language host that planton installs beside a command line without one."""
    host = launchers.write_language_host(world.folder / "bin")
    tools = world.tools
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        **world.sandbox.env,
        "PATH": os.pathsep.join([str(host.parent), str(tools.pulumi.parent), str(tools.launcher_folder), os.environ["PATH"]]),
        "PULUMI_HOME": str(world.folder / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{world.folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "of the test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
    }
    (world.folder / "state").mkdir(exist_ok=True)
    command = [str(tools.pulumi), *arguments, "--non-interactive"]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_the_literal_command_runs_a_project_and_reports_its_errors(world: World) -> None:
    """A command line that was built from source has no language host of its own: planton has one."""
    project = world.project("vpc")
    _pulumi(world, project, "stack", "init", "dev")
    failed = _pulumi(world, project, "up", "--yes", "--skip-preview")
    assert failed.returncode
    assert "no stack input" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    shutil.copy(project / "stack-input.example.yaml", project / "stack-input.yaml")
    done = _pulumi(world, project, "up", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(_labels(world) - {"default"}) == 1
    assert json.loads(_pulumi(world, project, "stack", "output", "--json").stdout)["network_id"]
    again = _pulumi(world, project, "preview", "--expect-no-changes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert _pulumi(world, project, "destroy", "--yes", "--skip-preview").returncode == 0
    (project / "__main__.py").write_text("raise ValueError('a mistake of the program')\n", "utf-8")
    failed = _pulumi(world, project, "up", "--yes", "--skip-preview")
    assert failed.returncode
    assert "a mistake of the program" in failed.stdout + failed.stderr
