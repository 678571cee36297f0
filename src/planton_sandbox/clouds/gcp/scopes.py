"""The scope of a request to the simulated Google Cloud: account and time.

Look-ups of projects, clusters and pools are here, with the cloud's errors. Nothing here changes a resource, except that a new
account gets its project, and a new project its network.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import catalogue, records

HOST = "https://container.googleapis.com"
COMPUTE = "https://www.googleapis.com/compute"
_FIRST_PROJECT = 512_000_000_001
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS"}


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """The account and time of a request, with the cloud's state.

    Attributes:
        version: The version of the API in the request, for links in answers.
        reserve_port: Returns a free TCP port for a cluster's Kubernetes API.
    """

    state: records.State
    pace: clock.Pace
    account: records.Account
    now: float
    version: str
    reserve_port: Callable[[], int]

    def at(self, moment: float) -> Scope:
        """Returns the same scope at another time, in seconds since the epoch."""
        return dataclasses.replace(self, now=moment)

    def project(self, key: str) -> records.Project:
        """Returns a project by id or number; one of another account, or an unknown one, is refused."""
        present = next((item for item in self.state.projects if key in (item.id, str(item.number))), None)
        if present is None and key.startswith(catalogue.PROJECT_PREFIX):
            present = create_project(self.state, key, account=self.account.id)
        if present is None or present.account != self.account.id:
            raise refused(403, f"Permission denied on resource project {key}.")
        return present

    def clusters(self, project: records.Project) -> list[records.Cluster]:
        """Returns the clusters of a project."""
        return [item for item in self.state.clusters if item.project == project.id]

    def cluster(self, request: wire.Request) -> records.Cluster:
        """Returns the cluster that a path names; an unknown one is refused."""
        parts, project = request.parts, self.project(request.parts["project"])
        for item in self.clusters(project):
            if (item.location, item.name) == (parts["location"], parts["cluster"]):
                return item
        raise missing(f"projects/{parts['project']}/locations/{parts['location']}/clusters/{parts['cluster']}")

    def pool(self, cluster: records.Cluster, name: str) -> records.Pool:
        """Returns a pool of a cluster by name; an unknown one is refused."""
        for item in cluster.pools:
            if item.name == name:
                return item
        raise missing(f"{path(cluster)}/nodePools/{name}")

    def own_projects(self) -> list[records.Project]:
        """Returns the account's projects."""
        return [item for item in self.state.projects if item.account == self.account.id]

    def subnetworks(self, project: records.Project) -> list[records.Subnetwork]:
        """Returns the subnetworks of a project."""
        return [item for item in self.state.subnetworks if item.project == project.id]


def path(cluster: records.Cluster) -> str:
    """Returns a cluster's path below the version of the API."""
    return f"projects/{cluster.project}/locations/{cluster.location}/clusters/{cluster.name}"


def refused(status: int, reason: str, code: str = "") -> wire.CloudError:
    """Returns an error of the cloud; ``code`` is the canonical one, or empty for the usual one of the status."""
    return wire.CloudError(status, code=code or _STATUSES.get(status, "UNKNOWN"), reason=reason)


def invalid(reason: str) -> wire.CloudError:
    """Returns the cloud's error for an invalid request."""
    return refused(400, reason)


def busy(reason: str) -> wire.CloudError:
    """Returns the cloud's error for a request that the resource's state does not allow."""
    return refused(400, reason, "FAILED_PRECONDITION")


def missing(name: str) -> wire.CloudError:
    """Returns the cloud's error for a missing resource."""
    return refused(404, f"Not found: {name}.")


def new_id() -> str:
    """Returns a new random number as text, like the ids of Compute Engine."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def account_for(state: records.State, token: str, *, now: float) -> records.Account:
    """Returns the account of a token; an unknown token of the sandbox creates an account.

    Raises:
        wire.CloudError: 401 when the token is missing, expired, revoked, or no sandbox token.
    """
    issued = next((item for item in state.tokens if item.text == token and item.expires > now), None)
    present = next(
        (item for item in state.accounts if item.token == token or (issued is not None and item.id == issued.account)), None
    )
    if present:
        return present
    if not token.startswith(catalogue.TOKEN_PREFIX) or token in state.revoked_tokens:
        raise refused(401, _UNAUTHENTICATED if token else _NO_TOKEN)
    return create_account(state, token)


def create_account(state: records.State, token: str) -> records.Account:
    """Creates an account; the one with the default token gets the default project."""
    name = "sandbox" if token == catalogue.DEFAULT_TOKEN else f"sandbox-{secrets.token_hex(4)}"
    account = records.Account(id=new_id(), token=token, email=f"{name}@{catalogue.DEFAULT_PROJECT}.iam.gserviceaccount.com")
    state.accounts.append(account)
    if token == catalogue.DEFAULT_TOKEN:
        create_project(state, catalogue.DEFAULT_PROJECT, account=account.id)
    return account


def create_project(state: records.State, key: str, *, account: str) -> records.Project:
    """Creates a project with the network ``default``, which has a subnetwork with ranges for clusters in each region."""
    project = records.Project(id=key, number=_FIRST_PROJECT + len(state.projects), account=account)
    state.projects.append(project)
    for number, region in enumerate(catalogue.REGIONS):
        state.subnetworks.append(
            records.Subnetwork(
                project=key,
                region=region,
                network="default",
                name="default",
                cidr=f"10.{128 + number}.0.0/20",
                ranges={"pods": f"10.{4 * number}.0.0/14", "services": f"10.{192 + number}.0.0/20"},
            )
        )
    return project


_NO_TOKEN = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid "  # noqa: S105 - no token
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
