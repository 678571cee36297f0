"""Operations on states as data: list, show, export, import, forget, move, unlock.

The cloud is neither read nor changed. An operation that replaces a state keeps a copy of the previous one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from planton import errors, modules
from planton.config import folders
from planton.engine import stacks, states, stored
from planton.schema import references, resource_names
from planton.state import deployments, evidence, inventory, journal

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

    from planton.config import settings as engine_settings
    from planton.engine import toolchain


class Stores:
    """The states of one backend."""

    def __init__(self, settings: engine_settings.Settings, tools: toolchain.Toolchain) -> None:
        self.settings = settings
        self.tools = tools
        self.inventory = inventory.Inventory(settings, tools)

    def open(self, name: stacks.StackName) -> stored.StoredStack:
        """Returns a stack of the backend, whether it exists or not."""
        return stored.StoredStack(name, self.settings, self.tools)

    def find(
        self, resource: str, *, stack: str = "", env: str | None = None, create: bool = False, locked: bool = False
    ) -> stacks.StackName:
        """Returns the name of a stack.

        Args:
            resource: ``KIND/NAME``; empty for the stack alone.
            stack: ``PROJECT/STACK``; empty for the resource alone.
            env: The resource's environment; None for any.
            create: Whether a stack that does not exist is returned too.
            locked: Whether a stack that has a lock and no state is returned too: a killed first operation leaves one.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``KIND_UNKNOWN``.
        """
        if not resource:
            return stacks.parse(stack)
        named = resource_names.parse(resource)
        try:
            return self.inventory.get(named, env, stack).stack
        except errors.PlantonError as error:
            if error.reason is not errors.Reason.STACK_NOT_FOUND:
                raise
            names = self._locked(named, env) if locked else []
            if len(names) == 1:
                return names[0]
            if not create or (not stack and len(named.kinds) > 1):
                raise
            return stacks.parse(stack) if stack else stacks.derived(named.kinds[0].name, named.name, env or "")

    def _locked(self, named: resource_names.ResourceName, env: str | None) -> list[stacks.StackName]:
        names = [each for each in self.locked() if each.project == stacks.PROJECT]
        if env is None:
            ends = tuple(f".{kind.name}.{named.name}" for kind in named.kinds)
            return [each for each in names if each.stack.endswith(ends)]
        return [each for each in names if each in [stacks.derived(kind.name, named.name, env) for kind in named.kinds]]

    def resources(self, name: stacks.StackName) -> list[deployments.Resource]:
        """Returns the resources in the state of a stack, secrets redacted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``.
        """
        return [deployments.Resource.of(each) for each in deployments.resources(self.open(name).export())]

    def text(self, name: stacks.StackName) -> str:
        """Returns the state of a stack as Pulumi exports it; secrets stay encrypted.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``.
        """
        return deployments.text(self.open(name).export())

    def parse(self, name: stacks.StackName, content: str) -> dict[str, Any]:
        """Returns the state of a stack in a file that Pulumi or planton has exported.

        Raises:
            PlantonError: ``STATE_UNFIT``: it is no exported state, or that of another stack.
        """
        deployment = deployments.parse(content)
        deployments.check(name, deployment)
        return deployment

    def count(self, deployment: Mapping[str, Any]) -> int:
        """Returns how many resources a state has, without providers and the like."""
        return len(deployments.resources(deployment))

    def journal(self, name: stacks.StackName) -> journal.Journal:
        """Returns what this machine knows of the operations on a stack."""
        return journal.Journal(self.settings.data, self.settings.backend_url, name)

    def all(self) -> list[deployments.Stored]:
        """Returns all stacks of the backend, by name; those of others too.

        Raises:
            PlantonError: The backend cannot be reached.
        """
        return [self.look(name) for name in sorted({*self.inventory.names, *self.locked()})]

    def locked(self) -> list[stacks.StackName]:
        """Returns the locked stacks of a backend that is a folder. A killed first operation leaves only a lock."""
        folder = self.settings.backend_folder
        if folder is None:
            return []
        files = (folder.parent / "locks" / stacks.NO_OWNER).glob("*/*/*.json")
        return sorted({stacks.StackName(path.parents[1].name, path.parent.name) for path in files})

    def look(self, name: stacks.StackName) -> deployments.Stored:
        """Returns a stack of the backend."""
        holders = tuple(map(str, self.open(name).held_locks()))
        try:
            deployment = self.open(name).export()
            applied = self.inventory.understand(name, deployment)
        except errors.PlantonError as error:
            only_locked = error.reason is errors.Reason.STACK_NOT_FOUND and holders
            return deployments.Stored(name, clean=False, holders=holders, problem="" if only_locked else error.message)
        unclean = (
            self.journal(name).read() is not None
            or evidence.unfinished(deployment) is not None
            or states.pending(deployment)
            or states.half_updated(deployment)
            or (applied is not None and not applied.complete)
        )
        return deployments.Stored(
            name,
            None if applied is None else applied.key,
            len(deployments.resources(deployment)),
            str((deployment.get("manifest") or {}).get("time", "")),
            not unclean,
            holders,
            empty=not (deployment.get("resources") or unclean or holders),
        )

    def keep(self, name: stacks.StackName, deployment: Mapping[str, Any]) -> pathlib.Path:
        """Writes a copy of a state, secrets encrypted, and returns its path."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = self.settings.data / "backups" / f"{name.project}.{name.stack}-{stamp}-{os.getpid()}.json"
        folders.keep(path, deployments.text(deployment))
        return path

    def replace(self, name: stacks.StackName, deployment: dict[str, Any]) -> pathlib.Path | None:
        """Replaces the state of a stack, and creates a missing stack.

        Returns:
            The copy of the previous state; None if there was none.

        Raises:
            PlantonError: ``STATE_UNFIT``: the state is not one of this stack; ``STACK_LOCKED``.
        """
        deployments.check(name, deployment)
        with self.journal(name).hold("state import", self.settings):
            copy = None
            try:
                copy = self.keep(name, self.open(name).export())
            except errors.PlantonError as error:
                if error.reason is not errors.Reason.STACK_NOT_FOUND:
                    raise
            self.open(name).replace_state(deployment, create=True)
        return copy

    def forgotten(self, name: stacks.StackName, resource: str) -> tuple[dict[str, Any], list[str]]:
        """Returns the state of a stack without a resource, and the names of the resources that go.

        Args:
            name: The stack.
            resource: A name in the stack, e.g. ``node_pool``, or a URN.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``USAGE``: it has no such resource.
        """
        deployment = self.open(name).export()
        names = {each["urn"]: deployments.short_name(each) for each in deployments.resources(deployment)}
        urns = {urn for urn, short in names.items() if resource in (urn, short)}
        if not urns:
            raise errors.usage(
                f"the state of {name} has no resource {resource!r}; it has: {', '.join(names.values()) or 'none'}",
                hint="planton state show lists them with their URNs",
            )
        remaining = states.without(deployment, urns)
        remaining_urns = {each["urn"] for each in remaining["resources"]}
        return remaining, [short for urn, short in names.items() if urn not in remaining_urns]

    def forget(self, name: stacks.StackName) -> pathlib.Path:
        """Removes a stack with its history; the cloud keeps what it stands for. Returns where its state is kept.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; ``STACK_LOCKED``.
        """
        with self.journal(name).hold("state forget", self.settings):
            copy = self.keep(name, self.open(name).export())
            self.open(name).remove(with_resources=True)
            self.journal(name).clear()
        return copy

    def move(self, applied: inventory.Applied, name: str, env: str) -> stacks.StackName:
        """Gives a resource another name and environment, in the state only.

        Returns:
            The stack that it has then. After a fault, another call continues.

        Raises:
            PlantonError: ``STATE_UNFIT``: there is such a resource, or its last operation has not ended; ``STACK_LOCKED``.
        """
        manifest: Any = type(applied.manifest)()
        manifest.CopyFrom(applied.manifest)
        manifest.metadata.name, manifest.metadata.env = name, env
        target = stacks.name_of(manifest)
        if self.inventory.find(references.key(manifest)) is not None or (target != applied.stack and self.open(target).exists()):
            raise deployments.unfit(f"{references.key(manifest)} exists already", "choose another name, or destroy that first")
        self.require_clean(applied.stack)
        with contextlib.ExitStack() as held:
            for stack in {applied.stack, target}:
                held.enter_context(self.journal(stack).hold("state move", self.settings))
            if target != applied.stack:
                self._rename(applied.stack, target)
            deployment = self.open(target).export()
            self.open(target).replace_state(deployments.named(deployment, modules.stored_json(manifest)))
        return target

    def _rename(self, old: stacks.StackName, new: stacks.StackName) -> None:
        # An apply of the new name that got no consent leaves an empty stack behind, which is in the way.
        if self.look(new).updated:
            self.open(new).remove()
        self.open(old).ask("stack", "rename", new.qualified)

    def require_clean(self, name: stacks.StackName) -> None:
        """Checks that the last operation on a stack has ended.

        Raises:
            PlantonError: ``STATE_UNFIT``.
        """
        summary = self.look(name)
        if not summary.clean:
            raise deployments.unfit(
                f"the last operation on {name} did not finish" + (f": {summary.problem}" if summary.problem else ""),
                "run planton apply or planton destroy first, which puts it right",
            )

    def require_unheld(self, name: stacks.StackName, *, force: bool) -> None:
        """Checks that no process of this machine holds a stack.

        Raises:
            PlantonError: ``STACK_LOCKED``: one does, and ``force`` is not given.
        """
        held = self.open(name).held_locks()
        alive = [lock.process for lock in held if lock.host == socket.gethostname() and not lock.is_stale]
        if alive and not force:
            raise errors.stack_locked(
                f"stack {name} is held by process {alive[0]}, which runs on this machine",
                hint="wait until it ends; --force removes the lock all the same, and two operations at once damage a state",
                metadata={"stack": str(name), "holder": str(alive[0])},
            )

    def unlock(self, name: stacks.StackName, *, force: bool) -> None:
        """Removes the lock of an operation that no longer runs.

        Raises:
            PlantonError: ``STACK_LOCKED``: the holder runs on this machine, and ``force`` is not given; the backend failed.
        """
        self.require_unheld(name, force=force)
        # An operation that has not yet reached the backend holds the stack on this machine only.
        with contextlib.nullcontext() if force else self.journal(name).hold("state unlock", self.settings):
            self.open(name).unlock(force=True)
