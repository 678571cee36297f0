"""Plans, approves, applies and destroys an ExampleBucket with the real stages, and prints the results as JSON.

A fake engine runs the module on Pulumi's mocks. Usage: python in_pipeline.py MANIFEST FOLDER. PYTHONPATH has the stubs and
the packages of the cloud Example.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

from on_mocks import Example

import planton
from planton.cli import columns
from planton.deploy import destroy, overview, plan, planning
from planton.deploy import steps as run_steps
from planton.schema import kinds
from support import mocks, world

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


class World(world.World):
    """Stacks whose applies run the module."""

    def outputs(self, subject: Any) -> dict[str, Any]:
        """Returns the outputs of the module, with encrypted secrets."""
        outputs = mocks.plan(subject.stack_input, cloud=Example()).outputs
        return {name: SECRET if isinstance(value, mocks.Secret) else value for name, value in outputs.items()}


def main(path: str, folder: str) -> None:
    """Prints the results for a manifest."""
    example = World(pathlib.Path(folder), EXAMPLE_KEY_ID="id", EXAMPLE_SECRET_KEY="hidden")
    planned = _plan(path, example)
    result = planton.apply(planton.approve(planned, planton.Consent(changes=True)))
    [applied] = example.run.inventory.all()
    second_plan = _plan(path, example)
    deletion = destroy.make([_resource(planned)], example.run)
    destroyed = planton.destroy(planton.approve(deletion, planton.Consent(deletions=True)))
    print(
        json.dumps(
            {
                "accounts": [str(account) for account in planned.accounts],
                "planned": _changes(planned.steps),
                "refused": _refusal(planned),
                "applied": _changes(result.steps),
                "outputs": {field.name: value for field, value in result.outputs("ExampleBucket/assets").ListFields()},
                "identity": applied.identity,
                "row": columns.row(overview.of_all([(applied, {})], example.run)[0])[:4],
                "second_plan": _changes(second_plan.steps),
                "destroyed": _changes(destroyed.steps),
                "regions": sorted(kinds.regions("example")),
                "remaining": len(example.run.inventory.all()),
            }
        )
    )


def _plan(path: str, example: World) -> planton.Plan:
    return planning.make(tuple(planton.load(path)), plan.Options(), example.run)


def _resource(planned: planton.Plan) -> Any:
    [resource] = planned.resources.resources.values()
    return resource


def _changes(steps: tuple[run_steps.Step, ...]) -> list[list[str]]:
    return [[str(step.key), str(change.action), change.name, change.type] for step in steps for change in step.plan.changes]


def _refusal(planned: planton.Plan) -> str:
    try:
        planton.approve(planned, planton.Consent())
    except planton.PlantonError as error:
        return str(error.reason)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
