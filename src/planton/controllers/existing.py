"""Existing clusters: a spec that does not say enough to create a cluster names one that the cloud has, which is adopted."""

from __future__ import annotations

import dataclasses
import json
import pkgutil
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.controllers import api_fields, manifests
from planton.modules import stored_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton import clouds
    from planton.manifest import load
    from planton.state import inventory

_ROOT: Final = "existing."


def resource(
    source: manifests.Source, applied: inventory.Applied | None, open_cloud: Callable[[], clouds.Cloud]
) -> load.Resource:
    """Returns the resource of an object of the API. What its spec leaves open is that of the existing resource.

    Args:
        source: The object.
        applied: The resource as it was applied; None if it was not. What was adopted once stays.
        open_cloud: Returns the account.

    Raises:
        InvalidError: The spec is invalid, or says too little for a resource that the cloud does not have.
        PlantonError: The cloud cannot be read.
    """
    try:
        return manifests.resource(source)
    except errors.InvalidError as error:
        kind = source.kind
        if not kind.declared.existing or not {each.path for each in error.violations} <= _open(source):
            raise
        if applied is not None:
            spec = json.loads(stored_json(applied.manifest)).get("spec") or {}
            return manifests.resource(
                dataclasses.replace(source, existing={name: api_fields.unwrapped(value) for name, value in spec.items()})
            )
        find: Callable[[clouds.Cloud, Mapping[str, Any]], tuple[str, Mapping[str, Any]] | None]
        find = pkgutil.resolve_name(kind.declared.existing)
        account = open_cloud()
        existing = find(account, manifests.declared(source))
        if existing is None:
            text = f"{account.where} has no {kind.noun} {source.name!r} there to adopt, and creating one needs these fields"
            raise errors.InvalidError(
                [*error.violations, errors.Violation("the spec", 0, 0, f"spec.platform.{kind.provider}", text, "cloud.existing")]
            ) from None
        id_, spec = existing
        return dataclasses.replace(manifests.resource(dataclasses.replace(source, existing=spec)), adopts=id_)


def _open(source: manifests.Source) -> set[str]:
    """Returns the unset fields of the spec that an existing resource answers, as paths of the API."""
    fields = source.kind.declared.api_fields.items()
    return {
        manifests.api_path(source, f"spec.{path}")
        for path, alternatives in fields
        if alternatives[-1].startswith(_ROOT) and all(source.value(each) in (None, "") for each in alternatives)
    }
