"""``planton kubeconfig``: the way into a cluster."""

from __future__ import annotations

import os
import pathlib
import socket
import sys
import urllib.parse
from typing import TYPE_CHECKING, Any

import click
import yaml

import planton
from planton import errors
from planton.cli import options, output, render
from planton.config import contexts, folders
from planton.schema import kinds

if TYPE_CHECKING:
    from planton.config import settings as engine_settings

_SECONDS = 2.0
_LISTS = ("clusters", "users", "contexts")


@click.command()
@options.named
@click.option("--exec", "by_exec", is_flag=True, help="Let kubectl get credentials from planton; the file holds no secret.")
@click.option("--merge", is_flag=True, help="Write it into $KUBECONFIG or ~/.kube/config, as the current context.")
@click.option(
    "--out",
    default="",
    type=click.Path(),
    metavar="FILE",
    help="Write it to a file of mode 0600; on failure the file stays unchanged.",
)
def kubeconfig(*, named: options.Named, by_exec: bool, merge: bool, out: str) -> None:
    r"""Print the kubeconfig of an applied cluster, or merge it into yours.

    It grants full administration of the cluster: keep it secret. It comes from the
    state and needs no token, unless the kubeconfigs of the cloud expire: then it
    comes from the cloud. With --exec it holds no secret and does not expire:
    kubectl calls planton credential. On Google Cloud --exec is always used,
    because the credential also opens the account.

    \b
    planton kubeconfig civokubernetesclusters/dev-cluster --out dev.kubeconfig
    planton kubeconfig digitaloceankubernetesclusters/dev-cluster --exec --merge

    Exit codes: 0 done, 1 not applied, 2 usage, 6 the cloud failed, 8 no
    credentials for the cloud.
    """
    if merge and out:
        raise errors.usage(
            "--merge and --out cannot be used together",
            hint="use one of them",
        )
    applied = named.find()
    text = planton.kubeconfig(applied, settings=named.settings)
    key = applied.key
    server = str(yaml.safe_load(text)["clusters"][0]["cluster"]["server"])
    if not reachable(server):
        rule = planton.api_server_rule(applied, settings=named.settings)
        render.progress(
            f"! the API server at {server} does not answer from here ({errors.Reason.API_SERVER_CLOSED}): "
            f"{rule + '; ' if rule else ''}open its port to this machine, and check that the cluster is still there: "
            f"planton drift {key.kind}/{key.name}"
        )
    if by_exec or kinds.get(key.kind).cloud.credentials_open_account:
        text = with_exec(text, applied, named.settings, named.stack)
    if out:
        write(pathlib.Path(out), text, hint="choose another --out, or print the kubeconfig without --out")
        return
    if not merge:
        output.echo_document(text)
        return
    path = pathlib.Path(os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or pathlib.Path.home() / ".kube" / "config")
    context = write_merged(path, text, name=f"{named.env}-{key.name}" if named.env else key.name)
    render.progress(f"context {context} is now current in {path}")


def with_exec(text: str, applied: planton.Applied, settings: engine_settings.Settings, stack: str = "") -> str:
    """Returns a kubeconfig that gets its credential from ``planton credential``, for the same cluster and backend."""
    config = yaml.safe_load(text)
    key = applied.key
    command = [sys.executable, "-m", "planton", "credential", f"{key.kind}/{key.name}"]
    # The current context may change. The backend and the environment of the cluster must stay the same.
    command += ["--env", key.env] if key.env or settings.context.env else []
    command += ["--stack", stack] if stack else []
    command += ["--context", settings.context.name or contexts.NONE]
    command += ["--backend", settings.backend] if settings.backend else []
    folder = settings.environ.get("PLANTON_DATA_DIR")
    config["users"] = [
        {
            "name": config["users"][0]["name"],
            "user": {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": command[0],
                    "args": command[1:],
                    "env": [{"name": "PLANTON_DATA_DIR", "value": str(pathlib.Path(folder).resolve())}] if folder else None,
                    "interactiveMode": "Never",
                    "provideClusterInfo": False,
                }
            },
        }
    ]
    return str(yaml.safe_dump(config, sort_keys=False))


def reachable(endpoint: str) -> bool:
    """Returns whether something accepts connections at a URL; gives up after two seconds."""
    url = urllib.parse.urlsplit(endpoint)
    try:
        with socket.create_connection((url.hostname or "", url.port or 443), timeout=_SECONDS):
            return True
    except OSError:
        return False


def write_merged(path: pathlib.Path, text: str, *, name: str) -> str:
    """Merges a kubeconfig into a file under one name, replaces the entries with that name, and returns the context's name.

    The file is written whole or not at all, mode 0600.

    Raises:
        PlantonError: The file is not a kubeconfig, or cannot be written.
    """
    # A symbolic link stays one.
    path = path.resolve()
    merged = _load(path)
    new = _renamed(yaml.safe_load(text), name)
    for key in _LISTS:
        other_entries = [entry for entry in merged[key] if entry.get("name") != name]
        merged[key] = [*other_entries, *new[key]]
    merged["current-context"] = name
    hint = "set KUBECONFIG to a file that can be written, or print the kubeconfig without --merge"
    write(path, yaml.safe_dump(merged, sort_keys=False), hint=hint)
    return name


def write(path: pathlib.Path, text: str, *, hint: str) -> None:
    """Writes a kubeconfig atomically to a file of mode 0600.

    Args:
        path: The file.
        text: The content.
        hint: The hint of the error if it cannot be written.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE``: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folders.write(path, text.encode(), mode=0o600)
    except OSError as error:
        raise errors.manifest_unreadable(f"cannot write {path}: {error.strerror}", path, hint=hint) from None


def _load(path: pathlib.Path) -> dict[str, Any]:
    new: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "preferences": {}, **{key: [] for key in _LISTS}}
    if not path.exists():
        return new
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        # An empty file counts as none, as it does for kubectl.
        data = new if data is None else data
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        data = None
    if isinstance(data, dict):
        data |= {key: data.get(key) or [] for key in _LISTS}
    if not isinstance(data, dict) or not all(_is_list_of_entries(data[key]) for key in _LISTS):
        raise errors.manifest_unreadable(
            f"{path} is not a kubeconfig; it was not changed",
            path,
            hint="repair or move the file, or print the kubeconfig without --merge",
        )
    return data


def _is_list_of_entries(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _renamed(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "clusters": [{**config["clusters"][0], "name": name}],
        "users": [{**config["users"][0], "name": name}],
        "contexts": [{"name": name, "context": {**config["contexts"][0]["context"], "cluster": name, "user": name}}],
    }
