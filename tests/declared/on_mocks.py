"""Plans and applies an ExampleBucket on Pulumi's mocks, and writes its reference page; prints the results as JSON.

Usage: python on_mocks.py MANIFEST DESCRIPTORS. Its path has the stubs and the packages of the cloud Example.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import reference
from planton import modules
from planton.config import credentials
from planton.manifest import load
from planton.modules import standalone
from planton.schema import kinds
from support import mocks


class Example:
    """The mocked cloud."""

    PROVIDER: ClassVar = "example"

    def look_up(self, token: str, _args: Mapping[str, Any]) -> dict[str, Any]:
        """Refuses every provider function: the module uses none."""
        raise AssertionError(token)

    def own_cluster(self) -> None:
        """Returns None: buckets have no cluster."""

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the id of a new bucket and its upload address."""
        return f"{noun}-{name}", {"upload_url": f"https://{inputs['name']}.example.test/?signature=x"}


def main(path: str, descriptors: str) -> None:
    """Prints the results for a manifest."""
    [document] = load.load([path])
    kind = document.kind
    stack_input: Any = kind.stack_input()
    stack_input.target.CopyFrom(document.message)
    environ = {"EXAMPLE_KEY_ID": "id", "EXAMPLE_SECRET_KEY": "hidden"}
    config = credentials.choose(document.message, override=None, region="", environ=environ)
    stack_input.provider_config.CopyFrom(config)
    planned = mocks.plan(stack_input, cloud=Example(), preview=True)
    applied = mocks.plan(stack_input, cloud=Example())
    # A stack stores the manifest next to the module's outputs.
    exported = mocks.record(lambda: standalone.run(stack_input), cloud=Example())
    texts = reference.comments_of(pathlib.Path(descriptors).read_bytes())
    result = {
        "planned": {name: [each.type, each.inputs] for name, each in planned.resources.items()},
        "applied": {name: [each.type, each.inputs] for name, each in applied.resources.items()},
        "outputs": {name: str(value) for name, value in applied.outputs.items()},
        "secret": [name for name, value in applied.outputs.items() if isinstance(value, mocks.Secret)],
        "exported": sorted(exported.outputs),
        "warnings": applied.warnings,
        "secrets": credentials.secrets(config),
        "stored": modules.stored_json(document.message),
        "page": reference.kind_page(kinds.get(kind.name), texts, pathlib.Path(path).read_text("utf-8")),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
