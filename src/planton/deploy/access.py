"""Fetches cluster credentials and caches them until they expire."""

from __future__ import annotations

import datetime
import hashlib
import json
import ssl
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.base import web
from planton.clouds import api, kubeconfigs, kubernetes
from planton.config import credentials, folders
from planton.deploy import resolve
from planton.schema import kinds, references
from planton.state import inventory

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from planton.config import settings as engine_settings
    from planton.deploy import runtime

#: Seconds that an API server has to refuse a token. kubectl waits during that time.
_SECONDS = 3.0
_UNAUTHORIZED = 401
#: A credential that expires sooner than this is fetched again: an operation that starts with it must be able to end.
_MARGIN = datetime.timedelta(minutes=10)


def is_refused(credential: api.Credential) -> bool:
    """Returns whether a cluster's API server refuses a token, for example because it was revoked.

    An API server that does not answer in time counts as accepting the token.
    """
    entry = kubeconfigs.parse(credential.kubeconfig)
    headers = {"Authorization": f"Bearer {credential.token}", "Accept": "application/json"}
    try:
        # Without the user's certificate, which would make up for the token. The version is public, but a request with an invalid
        # token is refused.
        context = kubernetes.trusting(entry)
        answer = web.request("GET", f"{entry.server.rstrip('/')}/version", headers=headers, deadline=_SECONDS, context=context)
    except (web.NoAnswerError, ssl.SSLError):
        return False
    return answer.status == _UNAUTHORIZED


def credential(
    applied: inventory.Applied,
    run: runtime.Runtime,
    *,
    fresh: bool = False,
    is_refused: Callable[[api.Credential], bool] = is_refused,
) -> api.Credential:
    """Returns a credential for an applied cluster.

    A credential that expires is cached in a file of mode 0600. It is reused until shortly before it expires, or until the cluster
    refuses it: kubectl does not report a refusal to its plugins.

    Args:
        applied: The cluster.
        run: What every stage uses.
        fresh: Ignore the cache and ask the cloud.
        is_refused: Returns whether the cluster refuses a credential.

    Raises:
        PlantonError: ``USAGE``: it is no cluster; ``CLOUD_MISSING``: the cloud does not have it, or not yet;
            ``CREDENTIAL_MISSING``; ``STATE_UNFIT``; ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE``.
    """
    _require_cluster(applied)
    cache_path = _cache_path(applied, run.settings)
    if not fresh:
        cached = _read(cache_path)
        if cached is not None and not is_refused(cached):
            return cached
    fetched = cloud_of(applied, run).credential(applied.identity)
    if fetched is None:
        raise errors.cloud_missing(
            f"the cloud has no credentials for {applied.key}: the cluster is missing or not ready yet",
            hint=f"check it with: planton drift {applied.key.kind}/{applied.key.name}",
        )
    if fetched.expires and not kinds.get(applied.key.kind).cloud.credentials_open_account:
        _write(cache_path, fetched)
    return fetched


def asks_cloud(applied: inventory.Applied) -> bool:
    """Returns whether the kubeconfig of an applied cluster comes from the cloud; otherwise it is in the state.

    Raises:
        PlantonError: ``USAGE``: it is no cluster; ``STACK_NOT_FOUND``: its first apply has not ended.
    """
    _require_cluster(applied)
    return clouds.credentials_expire(kinds.get(applied.key.kind).provider)


def cloud_of(applied: inventory.Applied, run: runtime.Runtime) -> clouds.Cloud:
    """Returns the account of an applied resource, in its region.

    Raises:
        PlantonError: ``CREDENTIAL_…``: there is no account; ``STATE_UNFIT``: it was applied to a sandbox, or the account is one.
    """
    config = credentials.choose(
        applied.manifest,
        override=None,
        region=applied.region,
        environ=run.settings.environ,
        usual=run.settings.context.credentials,
        with_file=False,
    )
    cloud = run.open_cloud(config, references.own_region(applied.manifest) or applied.region)
    resolve.check_address(applied, cloud.address)
    return cloud


def _require_cluster(applied: inventory.Applied) -> None:
    if not kinds.get(applied.key.kind).is_cluster:
        raise errors.usage(
            f"{applied.key} is no cluster, so there is no way into it",
            hint="name a cluster; planton get lists what has been applied",
        )
    inventory.require_complete(applied)


def _cache_path(applied: inventory.Applied, settings: engine_settings.Settings) -> pathlib.Path:
    digest = hashlib.sha256(f"{settings.backend_url} {applied.stack}".encode()).hexdigest()[:16]
    return folders.private(settings.data / "access") / f"{digest}.json"


def _read(path: pathlib.Path) -> api.Credential | None:
    try:
        data: Any = json.loads(path.read_text("utf-8"))
        # A damaged file, or one of an older release, is fetched again.
        if not all(isinstance(value, str) for value in data.values()):
            return None
        cached = api.credential(data["kubeconfig"], expires=data["expires"])
        ends = datetime.datetime.fromisoformat(cached.expires)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, errors.PlantonError):
        return None
    return cached if ends - datetime.datetime.now(datetime.UTC) > _MARGIN else None


def _write(path: pathlib.Path, credential: api.Credential) -> None:
    folders.keep(path, json.dumps({"kubeconfig": credential.kubeconfig, "expires": credential.expires}))
