"""A new cloud and a new kind need no change of the product: Example and its ExampleBucket exist only in ``tests/declared``.

The protos are compiled here. The packages are found because their folder is on Python's path.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from planton.schema import kinds, providers

ROOT = pathlib.Path(__file__).parents[1]
DECLARED = ROOT / "tests" / "declared"
VALID = """\
apiVersion: example.project-planton.org/v1
kind: ExampleBucket
metadata:
  name: assets
  env: dev
spec:
  bucketName: assets
  tags: [web]
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of the compiled protos, and of ``descriptors.binpb``, which has their comments."""
    folder = tmp_path_factory.mktemp("stubs")
    sources = DECLARED / "proto"
    files = [str(path.relative_to(sources)) for path in sorted(sources.rglob("*.proto"))]
    includes = [f"-I{path}" for path in (sources, ROOT / "proto", ROOT / ".cache" / "proto")]
    outputs = [f"--python_out={folder}", f"--descriptor_set_out={folder / 'descriptors.binpb'}", "--include_source_info"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *files], check=True)
    return folder


@pytest.fixture(scope="module")
def run(stubs: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Returns a function that runs a Python program with Example on its path."""
    data = tmp_path_factory.mktemp("data")
    path = [DECLARED / "python", stubs, ROOT / "tests", ROOT / "tools"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PLANTON_DATA_DIR": str(data)}
    return functools.partial(_run, environ=environ)


def _run(*arguments: str, environ: dict[str, str], stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ | variables, input=stdin, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def results(run: Run, stubs: pathlib.Path) -> dict[str, Any]:
    """The results of `declared/on_mocks.py` for a valid manifest."""
    manifest = stubs / "bucket.yaml"
    manifest.write_text(VALID, "utf-8")
    completed = run(str(DECLARED / "on_mocks.py"), str(manifest), str(stubs / "descriptors.binpb"))
    assert completed.returncode == 0, completed.stderr
    parsed: dict[str, Any] = json.loads(completed.stdout)
    return parsed


def test_the_product_does_not_contain_the_example() -> None:
    """Without the path, cloud and kind are unknown."""
    assert "example" not in providers.names()
    assert kinds.find("ExampleBucket") is None


def test_validate_accepts_a_valid_manifest(run: Run) -> None:
    """The kind is found by its name."""
    completed = run("-m", "planton", "validate", "-f", "-", stdin=VALID)
    assert (completed.returncode, completed.stdout) == (0, "1 document in 1 file: valid\n"), completed.stderr


def test_validate_names_the_field_and_the_rule(run: Run) -> None:
    """The rules of the protos apply."""
    invalid = VALID.replace("  bucketName: assets\n", "  bucketName: assets\n  sizeGib: -1\n")
    completed = run("-m", "planton", "validate", "-f", "-", "-o", "json", stdin=invalid)
    [violation] = json.loads(completed.stdout)["violations"]
    assert (violation["path"], violation["rule_id"]) == ("spec.sizeGib", "int32.gt")


def test_two_manifests_cannot_claim_one_name(run: Run) -> None:
    """The declaration names the field with the cloud name, and the noun."""
    twice = f"{VALID}---\n{VALID.replace('name: assets', 'name: other', 1)}"
    completed = run("-m", "planton", "validate", "-f", "-", "-o", "json", stdin=twice)
    [violation] = json.loads(completed.stdout)["violations"]
    assert (violation["path"], violation["rule_id"]) == ("spec.bucketName", "reference.cloud_name_once")
    assert violation["message"].startswith("bucket 'assets' is also spec.bucketName of ")


@pytest.mark.parametrize("step", ["planned", "applied"])
def test_the_module_registers_its_resource(results: dict[str, Any], step: str) -> None:
    """A plan and an apply run the same program. The default of the schema is set."""
    assert results[step] == {"bucket": ["example:index/bucket:Bucket", {"name": "assets", "sizeGib": 5}]}


def test_an_apply_returns_the_outputs_and_stores_the_manifest(results: dict[str, Any]) -> None:
    """The output that the schema redacts is secret."""
    assert results["outputs"]["bucket_id"] == "Bucket-bucket"
    assert results["secret"] == ["upload_url"]
    assert results["exported"] == ["bucket_id", "manifest", "upload_url"]
    assert results["warnings"] == ["spec.tags: Example buckets have no tags (ignored)"]


def test_the_pipeline_plans_applies_and_destroys_a_bucket(run: Run, stubs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """All stages of the pipeline run, with a fake engine that runs the module on mocks."""
    manifest = stubs / "bucket.yaml"
    manifest.write_text(VALID, "utf-8")
    completed = run(str(DECLARED / "in_pipeline.py"), str(manifest), str(tmp_path))
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    key = "ExampleBucket/assets (env dev)"
    created = [key, "create", "bucket", "example:index/bucket:Bucket"]
    assert results["accounts"] == ["example, EXAMPLE_KEY_ID, EXAMPLE_SECRET_KEY, https://api.example.test"]
    assert results["planned"] == results["applied"] == [created]
    assert results["refused"] == "CONSENT_REQUIRED"
    assert results["outputs"] == {"bucket_id": "Bucket-bucket", "upload_url": "[redacted]"}
    assert results["identity"] == "Bucket-bucket"
    assert results["row"] == ["assets", "ExampleBucket", "dev", "Applied"]
    assert results["second_plan"] == []
    assert results["destroyed"] == [[key, "delete", "bucket", "example:index/bucket:Bucket"]]
    assert results["remaining"] == 0
    assert results["regions"] == []
    assert "hidden" not in completed.stdout


def test_get_shows_an_applied_bucket(run: Run, results: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """The declaration of the kind is enough to read the state of a stack."""
    outputs = {"manifest": results["stored"], "bucket_id": results["outputs"]["bucket_id"]}
    state = {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]}
    stack = tmp_path / "state" / ".pulumi" / "stacks" / "planton" / "dev.ExampleBucket.assets.json"
    stack.parent.mkdir(parents=True)
    stack.write_text(json.dumps({"version": 3, "checkpoint": {"latest": state}}), "utf-8")
    completed = run("-m", "planton", "get", "examplebuckets/assets", "-o", "json", PLANTON_DATA_DIR=str(tmp_path))
    assert completed.returncode == 0, completed.stderr
    assert json.loads(completed.stdout)["status"]["outputs"] == {"bucketId": "Bucket-bucket"}


def test_explain_describes_the_kind(run: Run) -> None:
    """The fields come from the stubs."""
    completed = run("-m", "planton", "explain", "examplebucket.spec", "-o", "json")
    explained = json.loads(completed.stdout)
    assert explained["apiVersion"] == "example.project-planton.org/v1"
    assert [field["name"] for field in explained["fields"]] == ["bucketName", "sizeGib", "tags"]


def test_the_reference_page_has_fields_outputs_and_unsupported_fields(results: dict[str, Any]) -> None:
    """The page is generated from the protos and the declaration."""
    assert "# ExampleBucket\n" in results["page"]
    assert "- `sizeGib` (whole number, default `5`): The largest size in GiB.\n" in results["page"]
    assert "- `uploadUrl` (text): The address for uploads, with a signature.\n" in results["page"]
    assert "- `spec.tags` (warning): Example buckets have no tags\n" in results["page"]


def test_doctor_checks_the_account_of_the_cloud(run: Run) -> None:
    """A missing credential is reported with the variables of the declaration."""
    completed = run("-m", "planton", "doctor", "-o", "json")
    [account] = [each for each in json.loads(completed.stdout) if each["name"] == "Example account"]
    assert account["advice"].startswith("set EXAMPLE_KEY_ID and EXAMPLE_SECRET_KEY, ")


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "no credentials for example"),
        ({"EXAMPLE_KEY_ID": "id"}, "no credentials for example: without the secret key"),
        ({"EXAMPLE_SECRET_KEY": "hidden"}, "no credentials for example: without the key id"),
    ],
)
def test_an_incomplete_key_pair_is_an_error(run: Run, variables: dict[str, str], text: str) -> None:
    """The hint names both variables. No secret is printed."""
    completed = run("-m", "planton", "stack-input", "-f", "-", stdin=VALID, **variables)
    assert completed.returncode != 0
    assert text in completed.stderr
    assert "set EXAMPLE_KEY_ID and EXAMPLE_SECRET_KEY, " in completed.stderr
    assert "hidden" not in completed.stdout + completed.stderr


def test_only_the_secret_of_a_key_pair_is_redacted(run: Run, results: dict[str, Any]) -> None:
    """The declaration and the schema agree."""
    completed = run("-m", "planton", "stack-input", "-f", "-", stdin=VALID, EXAMPLE_KEY_ID="id", EXAMPLE_SECRET_KEY="hidden")
    assert completed.returncode == 0, completed.stderr
    assert "hidden" not in completed.stdout
    assert "id" in completed.stdout
    assert results["secrets"] == ["hidden"]
