"""Compares the cost of `planton apply` with the bare Automation API: preview + up of the same program, in pairs, as ratios.

Usage: python benchmarks/apply_cost.py [PAIRS]. The bound is 1.05, for creating a network in a new stack. Both run as separate
processes with one sandbox.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from support import planton as support

BARE = """
import os, pathlib, sys, semver
from pulumi import automation
from planton.modules import standalone
from planton.engine import toolchain
from planton.manifest import stack_input

tools = toolchain.find()
text = pathlib.Path("stack-input.yaml").read_text()
inputs = stack_input.parse(text, source="stack-input.yaml")
os.environ["PATH"] = os.pathsep.join([str(tools.pulumi.parent), str(tools.launcher_folder), os.environ["PATH"]])
folder = pathlib.Path("bare-state"); folder.mkdir(exist_ok=True)
options = automation.LocalWorkspaceOptions(
    env_vars={"PULUMI_BACKEND_URL": folder.absolute().as_uri(), "PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_SKIP_UPDATE_CHECK": "true",
              "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true", "PULUMI_CREDENTIAL_STORE": "plaintext"},
    project_settings=automation.ProjectSettings(name="planton", runtime="python",
        backend=automation.ProjectBackend(url=folder.absolute().as_uri())))
stack = automation.create_or_select_stack(sys.argv[1], "planton", lambda: standalone.run(inputs), opts=options)
stack.preview()
stack.up()
"""


def seconds(command: list[str], user: support.Planton) -> float:
    start = time.perf_counter()
    completed = subprocess.run(command, cwd=user.folder, env=user.environ, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    return time.perf_counter() - start


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        user = stack.enter_context(support.using(folder))
        (user.folder / "bare.py").write_text(BARE, "utf-8")
        measured = [pair(user, number) for number in range(pairs)]
    for name, index in (("in a new stack", 0), ("nothing to change", 1)):
        bare, ours = (statistics.median(row[index][side] for row in measured) for side in (0, 1))
        ratio = statistics.median(row[index][1] / row[index][0] for row in measured)
        print(f"{name}: bare preview + up {bare:.2f} s, planton apply {ours:.2f} s: ratio {ratio:.2f} (bound 1.05)")


def pair(user: support.Planton, number: int) -> list[tuple[float, float]]:
    name = f"net-{number}"
    manifest = support.network(networkName=f"ours-{number}")
    manifest["metadata"]["name"] = name
    file = user.write(f"{name}.yaml", manifest)
    bare = json.loads(json.dumps(manifest))
    bare["spec"]["networkName"] = f"bare-{number}"
    stack_input = user.run("stack-input", "-f", user.write("bare.yaml", bare), "--show-secrets").stdout
    (user.folder / "stack-input.yaml").write_text(stack_input, "utf-8")
    commands = ([sys.executable, "bare.py", name], user.command("apply", "-f", file, "--yes"))
    rows = []
    for _ in ("new", "same"):
        order = (0, 1) if number % 2 else (1, 0)
        times = {side: seconds(commands[side], user) for side in order}
        rows.append((times[0], times[1]))
    return rows


if __name__ == "__main__":
    os.environ.pop("PULUMI_BACKEND_URL", None)
    main()
