"""A program of your own in Python: manifests and stack inputs as messages, node pools through the API. ``clients/README.md`` says what it does."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import time
from typing import TYPE_CHECKING

from google.protobuf import json_format

from org.project_planton.nodepool.v1 import service_pb2
from planton import errors, manifest
from planton.client import ApiError, Client
from planton.manifest import load, stack_input
from planton.schema import kinds, validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

TOKENS = {"civo": "CIVO_TOKEN", "digitalocean": "DIGITALOCEAN_TOKEN"}
TRIES = 5
MOST_NODES = 2**31 - 1
#: Beginnings of the ids of what is wrong with a text.
TEXT = ("yaml.", "manifest.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 where it is done, 1 where something is invalid, 2 where something could not be read or asked."""
    parser = argparse.ArgumentParser(prog="pools", description="Manifests, stack inputs and node pools, from Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("validate", "check a manifest"),
        ("stack-input", "print a manifest's stack input"),
        ("create", "create a pool"),
    ):
        commands.add_parser(name, help=text).add_argument("file", type=pathlib.Path)
    scale_command = commands.add_parser("scale", help="set a pool's number of nodes")
    scale_command.add_argument("id")
    scale_command.add_argument("count")
    commands.add_parser("watch", help="print a pool's phases until it is Ready").add_argument("id")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "validate":
            print_json({"kind": read(chosen.file).DESCRIPTOR.name, "valid": True})
        elif chosen.command == "stack-input":
            pool = built(read(chosen.file))
            check(chosen.file, pool)
            print_json(stack_input.file_dict(pool, show_secrets=True))
        else:
            with client() as api:
                {"create": create, "scale": scale, "watch": watch}[chosen.command](api, chosen)
    except errors.InvalidError as error:
        for violation in error.violations:
            field = f"{violation.path}: " if violation.path else ""
            print(f"{chosen.file}: {field}{violation.message} [{violation.rule_id}]", file=sys.stderr)
        # What is wrong with the text comes before what its rules say.
        return 2 if any(violation.rule_id.startswith(TEXT) for violation in error.violations) else 1
    except (errors.PlantonError, OSError) as error:
        print(f"pools: {explained(error)}", file=sys.stderr)
        return 2
    return 0


def read(path: pathlib.Path) -> message.Message:
    """Returns the manifest of a file, with defaults.

    Raises:
        InvalidError: It cannot be read, or breaks rules.
        PlantonError: It has another number of documents than one.
    """
    documents = load.load([str(path)])
    if len(documents) != 1:
        raise errors.usage(f"{path}: there is more than one document: put each into a file of its own")
    return documents[0].message


def check(path: pathlib.Path, value: message.Message) -> None:
    """Raises InvalidError where the message of a file breaks rules."""
    if problems := validation.violations(value):
        raise errors.InvalidError([errors.Violation(str(path), 0, 0, *problem) for problem in problems])


def built(target: message.Message) -> message.Message:
    """Returns the stack input of a manifest, for the account whose token is in the environment."""
    kind = kinds.get(target.DESCRIPTOR.name)
    config = kind.provider_config()
    variable, region = TOKENS[kind.provider], os.environ.get("REGION")
    if not os.environ.get(variable):
        raise errors.usage(f"${variable} is not set: put the token of your account there")
    _, *regions = config.DESCRIPTOR.fields_by_name["default_region"].enum_type.values
    if region not in {one.name for one in regions}:
        raise errors.usage(f"$REGION does not name a region: set it to one such as {regions[0].name}")
    manifest.assign(config, f"apiToken={os.environ[variable]}")
    manifest.assign(config, f"defaultRegion={region}")
    return stack_input.build(target, config)


def client() -> Client:
    """Returns a client of the server that the environment names."""
    url = os.environ.get("PLANTON_API_URL", "http://127.0.0.1:8080")
    file = os.environ.get("PLANTON_API_TOKEN_FILE")
    return Client(
        url, email=os.environ.get("PLANTON_API_USER", ""), token=pathlib.Path(file).read_text("utf-8").strip() if file else ""
    )


def create(api: Client, chosen: argparse.Namespace) -> None:
    """Creates the node pool of a JSON body, and prints it."""
    try:
        new = json_format.Parse(chosen.file.read_text("utf-8"), service_pb2.NewNodePool())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise errors.usage(f"{chosen.file}: {error}") from error
    check(chosen.file, new)
    if not new.cluster_id:  # the path has it, over REST
        raise errors.usage(f"{chosen.file}: cluster_id is required")
    print_json(json_format.MessageToDict(api.create_node_pool(new.cluster_id, new)))


def scale(api: Client, chosen: argparse.Namespace) -> None:
    """Sets a pool's number of nodes, whatever else changes it meanwhile, and prints it."""
    count = number(chosen.count)
    for tried in range(1, TRIES + 1):
        pool = api.get_node_pool(chosen.id)
        update = service_pb2.NodePoolUpdate(spec=pool.spec, resource_version=pool.resource_version)
        update.spec.node_count = count
        try:
            return print_json(json_format.MessageToDict(api.update_node_pool(chosen.id, update)))
        except ApiError as error:
            if error.api_code != "CONFLICT" or tried == TRIES:
                raise
    return None


def watch(api: Client, chosen: argparse.Namespace) -> None:
    """Prints a pool's phase and generation at each change, until it is Ready."""
    shown = None
    while shown is None or shown["phase"] != "Ready":
        pool = api.get_node_pool(chosen.id)
        current = {"phase": pool.status.phase, "generation": int(pool.generation)}
        if current != shown:
            print_json(current)
            shown = current
        time.sleep(1)


def number(text: str) -> int:
    """Returns a number of nodes; the server says which ones there may be."""
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or abs(value) > MOST_NODES:
        raise errors.usage(f'COUNT must be a number of nodes, and is "{text}"')
    return value


def explained(error: Exception) -> str:
    """Returns what is wrong and what to do, on one line."""
    first, *others = [line.strip() for line in str(error).splitlines()]
    if isinstance(error, ApiError):
        line = ": ".join(filter(None, [first, "; ".join(others)]))  # each violation is on a line
        advice = "set PLANTON_API_USER to your email address, or PLANTON_API_TOKEN_FILE to the file of a token"
        return f"{line}; {advice}" if error.api_code == "UNAUTHENTICATED" else line
    return " ".join([first, *others])


def print_json(value: object) -> None:
    """Prints a value as JSON on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
