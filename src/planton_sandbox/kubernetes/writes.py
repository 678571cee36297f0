"""Creates, updates, patches and deletes objects."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from planton_sandbox import clock
from planton_sandbox.kubernetes import (
    admission,
    decoding,
    errors,
    fieldsets,
    merging,
    objects,
    openapi,
    options,
    ownership,
    paths,
    resources,
    schema,
    store,
    strategic,
    validation,
)
from planton_sandbox.kubernetes.controllers import cycle as cycles
from planton_sandbox.kubernetes.controllers import garbage

Object = dict[str, Any]
APPLY, JSON, MERGE, STRATEGIC = openapi.PATCHES


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: the object or status, whether it is new, and the warnings."""

    body: Object
    is_new: bool = False
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Writes:
    """The writes of one request.

    Attributes:
        store: The objects.
        target: The target of the request.
        write_options: Its options.
    """

    store: store.Store
    target: paths.Target
    write_options: options.Options

    def create(self, body: Any) -> Written:
        """Creates an object.

        Raises:
            errors.ApiError: when it is refused.
        """
        item, warnings = self._typed(body)
        return self._create(item, warnings)

    def update(self, body: Any) -> Written:
        """Replaces an object or its status.

        Raises:
            errors.ApiError: when it is refused.
        """
        before = self._current()
        item, warnings = self._typed(body)
        return self._store(item, before, warnings)

    def patch(self, patch: Any, *, kind: str) -> Written:
        """Patches an object or its status; ``kind`` is the media type of the patch.

        Raises:
            errors.ApiError: when it is refused.
        """
        if kind == APPLY:
            return self._apply(patch)
        before = self._current()
        if kind == JSON:
            patched = merging.operate(before, patch)
        elif not isinstance(patch, dict):
            raise errors.bad_request("the patch must be an object")
        elif kind == MERGE:
            patched = merging.merge(before, patch)
        elif kind == STRATEGIC:
            patched = strategic.merge(before, patch, schema.of(self.target.resource.kind))
        else:
            raise errors.unsupported_media(kind, openapi.PATCHES)
        item, warnings = self._typed(patched)
        return self._store(item, before, warnings)

    def delete(self, order: options.Deletion) -> Written:
        """Deletes an object, or begins to.

        Raises:
            errors.ApiError: when there is none, or a precondition fails.
        """
        item = self._current()
        _check(self.target.resource, item, order)
        if order.is_dry:
            return Written(item)
        return Written(self.delete_one(item, order))

    def delete_one(self, item: Object, order: options.Deletion) -> Object:
        """Deletes an object and returns the answer."""
        resource, meta = self.target.resource, item["metadata"]
        finalizers = [*meta.get("finalizers", [])]
        added = {"Foreground": garbage.FOREGROUND, "Orphan": garbage.ORPHAN}.get(order.propagation)
        if added and added not in finalizers and resource is not resources.NAMESPACES:
            finalizers.append(added)
            item = self.store.replace(resource, item | {"metadata": meta | {"finalizers": finalizers}})
            meta = item["metadata"]
        if resource is resources.PODS:
            own = int(item["spec"].get("terminationGracePeriodSeconds", 30))
            grace = own if order.grace is None else order.grace
            return cycles.begin_delete(self.store, item, now=self.write_options.now, grace=grace)
        if not finalizers and resource is not resources.NAMESPACES:
            self.store.remove(resource, item)
            details = {"name": meta["name"], "group": resource.group, "kind": resource.plural, "uid": meta["uid"]}
            return errors.success(details)
        if not objects.is_deleting(item):
            stamp = {"deletionTimestamp": clock.rfc3339(self.write_options.now), "deletionGracePeriodSeconds": 0}
            item = item | {"metadata": meta | stamp}
            if resource is resources.NAMESPACES:
                item["status"] = (item.get("status") or {}) | {"phase": "Terminating"}
            item = self.store.replace(resource, item)
        return item

    def _current(self) -> Object:
        resource, target = self.target.resource, self.target
        item = self.store.get(resource, target.namespace, target.name)
        if item is None:
            raise errors.not_found(resource, target.name)
        return item

    def _typed(self, body: Any) -> tuple[Object, tuple[str, ...]]:
        """Returns the object of a body, with the namespace and name of the path, and warnings."""
        resource, target = self.target.resource, self.target
        item, unknown = decoding.typed(resource, copy.deepcopy(body))
        meta = item["metadata"]
        if resource.namespaced:
            if meta.setdefault("namespace", target.namespace) != target.namespace:
                raise errors.bad_request("the namespace of the provided object does not match the namespace sent on the request")
        else:
            meta.pop("namespace", None)
        if target.name and meta.setdefault("name", target.name) != target.name:
            message = f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
            raise errors.bad_request(message)
        problems = [f'unknown field "{path}"' for path in unknown]
        if problems and self.write_options.validation == "Strict":
            kind = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
            raise errors.bad_request(f"{kind}: strict decoding error: {', '.join(problems)}")
        return item, tuple(problems) if self.write_options.validation == "Warn" else ()

    def _writer(self, operation: str) -> ownership.Writer:
        subresource = "status" if self.target.subresource == "status" else ""
        return ownership.Writer(self.write_options.manager, operation, subresource, self.write_options.now)

    def _create(self, item: Object, warnings: tuple[str, ...], *, operation: str = ownership.UPDATE) -> Written:
        resource = self.target.resource
        config = copy.deepcopy(item)
        item = admission.create(self.store, resource, item, now=self.write_options.now)
        validation.check(resource, item, None)
        if self.store.get(resource, objects.namespace(item), objects.name(item)) is not None:
            raise errors.exists(resource, objects.name(item))
        writer = self._writer(operation)
        if operation == ownership.APPLY:
            owners = ownership.apply(resource, None, config, writer, force=False)["metadata"].get("managedFields", [])
            item = item | {"metadata": item["metadata"] | {"managedFields": owners}}
        else:
            item = ownership.track(resource, None, item, writer)
        return Written(item if self.write_options.is_dry else self.store.add(resource, item), is_new=True, warnings=warnings)

    def _store(self, item: Object, before: Object, warnings: tuple[str, ...], *, tracked: bool = True) -> Written:
        """Stores a changed object; with ``tracked`` the writer becomes the manager of what differs."""
        resource = self.target.resource
        _check_version(resource, item, before)
        if self.target.subresource == "status":
            item = before | {"status": item.get("status", {})}
        elif self.target.subresource == "finalize":
            item = before | {"spec": item.get("spec", {})}
        else:
            item = admission.update(resource, item, before)
            validation.check(resource, item, before)
        if tracked:
            item = ownership.track(resource, before, item, self._writer(ownership.UPDATE))
        if self.write_options.is_dry:
            return Written(item, warnings=warnings)
        is_free = objects.is_deleting(before) and not item["metadata"].get("finalizers") and before["metadata"].get("finalizers")
        stored = self.store.replace(resource, item)
        if is_free and resource is not resources.PODS and resource is not resources.NAMESPACES:
            self.store.remove(resource, stored)
        return Written(stored, warnings=warnings)

    def _apply(self, body: Any) -> Written:
        resource, target = self.target.resource, self.target
        if isinstance(body, dict) and isinstance(body.get("metadata"), dict) and body["metadata"].get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        _, unknown = decoding.typed(resource, copy.deepcopy(body))
        problems = [f".{path}: field not declared in schema" for path in unknown]
        twice = fieldsets.repeated(body, resource.kind) if isinstance(body, dict) else []
        problems += [f"{fieldsets.text(path)}: duplicate entries for key" for path in twice]
        if problems:
            where = f"{target.namespace}/{target.name}; {resource.api_version}, Kind={resource.kind}"
            text = ", ".join(problems)
            raise errors.ApiError(500, "", f"failed to create typed patch object ({where}): {text}")
        config, warnings = self._typed(body)
        before = self.store.get(resource, target.namespace, target.name)
        if before is None:
            if target.subresource:
                raise errors.not_found(resource, target.name)
            return self._create(config, warnings, operation=ownership.APPLY)
        _check_version(resource, config, before)
        if target.subresource == "status":
            config = {key: value for key, value in config.items() if key != "spec"}
        elif "status" in resource.subresources:
            config = {key: value for key, value in config.items() if key != "status"}
        writer = self._writer(ownership.APPLY)
        item = ownership.apply(resource, before, config, writer, force=self.write_options.force)
        return self._store(copy.deepcopy(item), before, warnings, tracked=False)


def _check(resource: resources.Resource, item: Object, order: options.Deletion) -> None:
    for key, title in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        expected, present = order.preconditions.get(key), item["metadata"].get(key)
        if expected is not None and expected != present:
            why = f"Precondition failed: {title} in precondition: {expected}, {title} in object meta: {present}"
            raise errors.conflict(resource, objects.name(item), why)


def _check_version(resource: resources.Resource, item: Object, before: Object) -> None:
    meta, present = item["metadata"], before["metadata"]
    if meta.get("uid", present["uid"]) != present["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {present['uid']}"
        raise errors.conflict(resource, present["name"], why)
    if meta.get("resourceVersion", present["resourceVersion"]) != present["resourceVersion"]:
        raise errors.conflict(resource, present["name"])
