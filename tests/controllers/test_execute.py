"""The steps of an action."""

from __future__ import annotations

from planton.controllers import execute
from planton.deploy import progress
from planton.schema import references

KEY = references.Key("CivoKubernetesCluster", "", "production")


def _begun(resource: str) -> progress.Event:
    return progress.Event(KEY, "destroy", progress.Moment.RESOURCE_STARTED, resource=resource, action="delete")


def test_steps_are_counted_and_name_what_stays_in_the_cloud() -> None:
    """The user of the API sees it while the cluster is deleted."""
    reported: list[execute.Step] = []
    counted = execute.Progress(reported.append)
    counted.expect(2)
    counted.on_progress(_begun("cluster"))
    counted.leave(("volume data-1 (v-1)",))
    counted.on_progress(progress.Event(KEY, "destroy", progress.Moment.STARTED))
    counted.on_progress(_begun("firewall"))
    assert list(map(str, reported)) == [
        "step 1 of 2: delete cluster",
        "step 2 of 2: delete firewall; the cloud keeps and bills: volume data-1 (v-1)",
    ]
