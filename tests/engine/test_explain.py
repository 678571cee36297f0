"""Errors of clouds, plugins and the engine: reason, message and next step."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import errors
from planton.engine import explain, recorders, stacks, state_errors
from support import events, mocks

VPC = mocks.target("CivoVpc", {"networkName": "net-a"}, name="main")
FIREWALL = mocks.target("CivoFirewall", {"name": "fw-a"}, name="web")
CLUSTER = mocks.target("CivoKubernetesCluster", {"clusterName": "prod", "region": "lon1"}, name="prod-cluster")
POOL = mocks.target("CivoKubernetesNodePool", {"nodePoolName": "workers", "cluster": {"value": "prod"}}, name="pool")
NAME = stacks.StackName("planton", "dev.CivoVpc.net")


def _command(stderr: str = "", stdout: str = "") -> automation_errors.CommandError:
    return automation_errors.CommandError(automation.CommandResult(stdout, stderr, 255))


def _explained(target: Any, *received: Any, operation: str = "apply", raw: str = "", **more: Any) -> explain.OperationError:
    recorder = recorders.Recorder()
    for event in received:
        recorder(event)
    return explain.operation(operation, _command(raw), recorder, target=target, ending=explain.Ending(**more))


def _failed(op: str, type_: str, name: str, text: str) -> list[Any]:
    return [
        events.begins(op, type_, name, new={}),
        events.says("error", text, events.urn(type_, name)),
        events.failed(op, type_, name),
        events.says("error", "update failed"),
    ]


@pytest.mark.parametrize(
    ("target", "op", "type_", "name", "context"),
    [
        (VPC, "create", events.NETWORK, "network", "failed to create network net-a (CivoVpc)"),
        (FIREWALL, "delete", events.FIREWALL, "firewall", "failed to delete firewall fw-a (CivoFirewall)"),
        (
            CLUSTER,
            "update",
            events.CLUSTER,
            "cluster",
            "failed to update Kubernetes cluster prod (CivoKubernetesCluster, region lon1)",
        ),
        (
            CLUSTER,
            "create-replacement",
            events.CLUSTER,
            "cluster",
            "failed to create Kubernetes cluster prod (CivoKubernetesCluster, region lon1)",
        ),
        (
            CLUSTER,
            "create",
            events.POOL,
            "node_pool-web",
            "failed to create node pool web in prod (CivoKubernetesCluster, region lon1)",
        ),
        (POOL, "create", events.POOL, "node_pool", "failed to create node pool workers in prod (CivoKubernetesNodePool)"),
        (POOL, "update", events.SIZE, "node_pool_size", "failed to scale node pool workers in prod (CivoKubernetesNodePool)"),
        (
            CLUSTER,
            "update",
            events.SIZE,
            "node_pool_size-web",
            "failed to scale node pool web in prod (CivoKubernetesCluster, region lon1)",
        ),
        (None, "delete", events.NETWORK, "network", "failed to delete network network"),
    ],
)
def test_an_error_names_the_failed_step_and_the_resource_of_the_manifest(
    target: Any, op: str, type_: str, name: str, context: str
) -> None:
    """The cloud's own text follows."""
    error = _explained(target, *_failed(op, type_, name, "1 error occurred:\n\t* boom of the cloud\n\n"))
    assert error.message == f"{context}: boom of the cloud"


@pytest.mark.parametrize(
    ("text", "reason", "hint"),
    [
        (
            "DatabaseNetworkExistsError: a network with this name already exists",
            errors.Reason.CLOUD_NAME_TAKEN,
            "planton import CivoVpc/main ID -f FILE",
        ),
        ("QuotaLimitReached: Your quota for instances is reached", errors.Reason.CLOUD_QUOTA_REACHED, "higher quota"),
        (
            "an error occoured while connecting to Civo's API: AuthenticationError: authentication error",
            errors.Reason.CLOUD_AUTH,
            "check the token",
        ),
        (
            "[ERR] failed to delete network: DatabaseNetworkInUse: the network is in use",
            errors.Reason.CLOUD_IN_USE,
            "something still uses it",
        ),
        ('Get "http://127.0.0.1:1/v2": dial tcp: connection refused', errors.Reason.CLOUD_UNREACHABLE, "did not answer"),
        ("<urlopen error timed out>", errors.Reason.CLOUD_UNREACHABLE, "did not answer"),
        (
            "Not all instances running in IGM. Current errors: [IP_SPACE_EXHAUSTED]: Instance 'i' creation failed: IP space of 's' is exhausted.",
            errors.Reason.CLOUD_QUOTA_REACHED,
            "the subnetwork has no addresses for more nodes",
        ),
        (
            "Current errors: [GCE_STOCKOUT]: Instance 'i' creation failed: The zone 'z' does not have enough resources available",
            errors.Reason.CLOUD_FAILED,
            "no such machines there for now",
        ),
        (
            'googleapi: Error 403: Required "container.clusters.create" permission(s) for "projects/acme"., forbidden',
            errors.Reason.CLOUD_AUTH,
            "grant its account what the text names",
        ),
        (
            "googleapi: Error 403: Kubernetes Engine API has not been used in project 1 before or it is disabled., accessNotConfigured",
            errors.Reason.CLOUD_AUTH,
            "enable this API of the cloud for the project",
        ),
        (
            "POST https://api.digitalocean.com/v2/kubernetes/clusters: 403 You are not authorized to perform this operation",
            errors.Reason.CLOUD_AUTH,
            "grant its account what the text names",
        ),
        ("something new", errors.Reason.ENGINE_FAILED, "what was done is saved"),
    ],
)
def test_an_error_of_the_cloud_gets_a_reason_and_a_hint(text: str, reason: errors.Reason, hint: str) -> None:
    """Each keeps the cloud's text. An unknown text gets the generic reason."""
    error = _explained(VPC, *_failed("create", events.NETWORK, "network", text))
    assert error.reason is reason
    assert hint in error.hint
    assert text in error.message
    assert error.code is errors.Code.FAILED


def test_a_refused_token_is_an_error_of_the_provider() -> None:
    """The plugin reports it on the first resource, which is not the cause."""
    text = "an error occoured while connecting to Civo's API: AuthenticationError: authentication error"
    assert (
        _explained(VPC, *_failed("create", events.NETWORK, "network", text)).message == f"failed to setup Civo provider: {text}"
    )


def test_an_error_of_a_module_is_passed_on_unchanged() -> None:
    """Message, code, reason, hint and metadata of planton's errors are not rewritten."""
    error_of_module = errors.PlantonError("no", reason=errors.Reason.UNSUPPORTED_FIELD, hint="hint", metadata={"fields": "a"})
    error = _explained(VPC, events.says("error", "Traceback"), program=error_of_module)
    assert error.as_dict() == error_of_module.as_dict()
    assert error.code is errors.Code.REFUSED


def test_an_interrupted_creation_is_uncertain() -> None:
    """The creation in progress may have reached the cloud."""
    started = events.begins("create", events.NETWORK, "network", new={})
    error = _explained(VPC, started, interrupted=True)
    assert (error.code, error.reason) == (errors.Code.INTERRUPTED, errors.Reason.INTERRUPTED)
    assert error.uncertain == (events.urn(events.NETWORK, "network"),)


@pytest.mark.parametrize(("operation", "saved"), [("apply", True), ("destroy", True), ("plan", False), ("drift", False)])
@pytest.mark.parametrize("ending", [{"interrupted": True}, {"timed_out": 60.0}, {"raw": "something broke"}])
def test_only_operations_that_change_something_report_saved_progress(
    operation: str, ending: dict[str, Any], *, saved: bool
) -> None:
    """This holds for interruptions, timeouts and errors."""
    error = _explained(VPC, operation=operation, **ending)
    assert ("what was done is saved" in f"{error.message} {error.hint}") is saved


def test_a_killed_engine_is_not_an_error_of_the_cloud() -> None:
    """The creation in progress may have reached the cloud, whatever the last event reports."""
    error = _explained(VPC, events.begins("create", events.NETWORK, "network", new={}), killed=True)
    assert error.reason is errors.Reason.ENGINE_KILLED
    assert error.message == "Pulumi was killed in the middle of the apply of CivoVpc main"
    assert error.uncertain == (events.urn(events.NETWORK, "network"),)


def test_a_failed_write_of_the_state_is_reported_as_not_saved() -> None:
    """A timeout in the backend's text is not a timeout of the cloud."""
    text = "post-step event returned an error: failed to save snapshot: An IO error occurred: connection timed out"
    error = _explained(VPC, events.says("error", text), events.says("error", "update failed"))
    assert error.reason is errors.Reason.STATE_NOT_SAVED
    assert "reads from the cloud what the state lacks" in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "Error: Unknown error response - status: 429 Too Many Requests, code: 429, reason: {}",
        "InternalServerError: internal server error",
        'POST https://api.digitalocean.com/v2/vpcs: 503 (request "a") Service unavailable',
        "error creating NodePool: googleapi: Error 503: The service is currently unavailable., backendError",
        "googleapi: Error 429: Quota exceeded for quota metric, rateLimitExceeded",
        "googleapi: got HTTP response code 502 with body: <html>",
    ],
)
def test_a_creation_is_uncertain_after_a_failure_of_the_cloud(text: str) -> None:
    """A failing cloud is not an unreachable one. The next run searches for the resource."""
    error = _explained(VPC, *_failed("create", events.NETWORK, "network", text))
    assert error.reason is errors.Reason.CLOUD_FAILED
    assert error.uncertain == (events.urn(events.NETWORK, "network"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('UnknownError: Post "https://api.civo.com/v2/networks": EOF', errors.Reason.CLOUD_UNREACHABLE),
        ("error reading from server: EOF", errors.Reason.ENGINE_FAILED),
        ("Timeout waiting to create cluster", errors.Reason.CLOUD_STUCK),
    ],
)
def test_an_unreachable_cloud_is_distinguished_from_a_dead_plugin(text: str, reason: errors.Reason) -> None:
    """In both cases the creation may have reached the cloud."""
    error = _explained(VPC, *_failed("create", events.NETWORK, "network", text))
    assert error.reason is reason
    assert error.uncertain == (events.urn(events.NETWORK, "network"),)


def test_a_timeout_names_its_duration_and_the_usual_causes() -> None:
    """Quota, addresses and capacity keep a cluster in BUILDING."""
    error = _explained(CLUSTER, timed_out=1200.0)
    assert error.reason is errors.Reason.CLOUD_STUCK
    assert error.message.startswith("apply of CivoKubernetesCluster prod-cluster has not finished after 20 minutes")
    for word in ("quota", "addresses", "region", "--timeout"):
        assert word in error.hint


def test_a_timeout_of_the_plugin_is_a_stuck_cloud() -> None:
    """The plugin stops waiting earlier than planton does."""
    text = "error waiting for cluster (id) to be created: timeout while waiting for state to become 'ACTIVE'"
    error = _explained(CLUSTER, *_failed("create", events.CLUSTER, "cluster", text))
    assert error.reason is errors.Reason.CLOUD_STUCK
    assert "quota" in error.hint


@pytest.mark.parametrize(
    ("text", "uncertain"),
    [
        ("error reading from server: EOF", True),
        ("rpc error: code = Unavailable", True),
        ("expected non-nil error with nil state during Create of urn:pulumi:a", True),
        ("quota reached", False),
        ("Error creating Kubernetes cluster: POST http://a/v2/kubernetes/clusters: 503 no", True),
        ("Error creating Kubernetes cluster: POST http://a/v2/kubernetes/clusters: 408 no", True),
        ("Error creating Kubernetes cluster: POST http://a/v2/kubernetes/clusters: 429 no", False),
        ("Error creating Kubernetes cluster: POST http://a/v2/kubernetes/clusters: 422 connection limit", False),
        ("Error retrieving Kubernetes cluster: GET http://a/v2/kubernetes/clusters/1: 429 no", True),
        ("[ERR] failed to create network: Error: Unknown error response - status: 429 Too Many Requests, code: 429", False),
        ("[ERR] failed to create the kubernetes cluster: InternalServerError: internal server error", True),
    ],
)
def test_a_creation_is_uncertain_when_its_response_was_lost(text: str, *, uncertain: bool) -> None:
    """A refusal by the cloud is certain, a dead plugin is not."""
    error = _explained(VPC, *_failed("create", events.NETWORK, "network", text))
    assert bool(error.uncertain) is uncertain


def test_a_finished_creation_is_certain() -> None:
    """Updates are certain too: they cannot leave an unknown resource."""
    error = _explained(
        CLUSTER,
        events.begins("create", events.FIREWALL, "firewall", new={}),
        events.ended("create", events.FIREWALL, "firewall", new={}),
        events.begins("update", events.CLUSTER, "cluster", old={}, new={}),
        interrupted=True,
    )
    assert error.uncertain == ()


def test_without_a_diagnostic_the_message_contains_the_end_of_the_output() -> None:
    """An error is never empty."""
    error = _explained(VPC, raw="line one\nsomething broke\nat the end\n", operation="refresh")
    assert error.message.startswith("failed to refresh CivoVpc main: ")
    assert "something broke" in error.message


def test_a_repeated_text_is_reported_once() -> None:
    """The engine repeats diagnostics."""
    error = _explained(VPC, *_failed("create", events.NETWORK, "network", "boom"), events.says("error", "boom"))
    assert error.message == "failed to create network net-a (CivoVpc): boom"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("error: the stack is currently locked by 1 lock(s)", errors.Reason.STACK_LOCKED),
        ("error: getting secrets manager: incorrect passphrase", errors.Reason.CREDENTIAL_MISSING),
        ("error: could not open bucket", errors.Reason.ENGINE_FAILED),
    ],
)
def test_an_error_of_the_backend_names_the_stack(text: str, reason: errors.Reason) -> None:
    """Locks, passphrases and buckets each have their own hint."""
    error = state_errors.command_error(_command(text), NAME)
    assert error.reason is reason
    assert str(NAME) in error.message
    assert text.removeprefix("error: ") in error.message
    assert error.hint


def test_an_organization_that_the_backend_does_not_support_is_an_error_of_the_labels() -> None:
    """The backend is reachable: a label names the organization."""
    error = state_errors.command_error(_command("error: organization name must be 'organization'"), NAME)
    assert (error.code, error.reason) == (errors.Code.USAGE, errors.Reason.USAGE)
    assert "labels" in error.hint
