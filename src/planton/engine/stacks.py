"""Stack names: the location of a resource's state."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from planton import errors
from planton.manifest import stack_names

if TYPE_CHECKING:
    from google.protobuf import message

#: The project of stacks that no label names.
PROJECT = "planton"
#: How Pulumi calls the owner in backends that have none.
NO_OWNER = "organization"
_PREFIX = stack_names.PREFIX
_PROVISIONER = "project-planton.org/provisioner"
_ALLOWED = re.compile(rf"[A-Za-z0-9._-]{{1,{stack_names.LONGEST}}}")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class StackName:
    """The name of a stack.

    Attributes:
        project: The Pulumi project.
        stack: The stack in it.
        organization: The owner in backends that have owners; empty otherwise.
    """

    project: str
    stack: str
    organization: str = ""

    @property
    def qualified(self) -> str:
        """What Pulumi's command line takes: ``stack``, or ``organization/project/stack``."""
        return f"{self.organization}/{self.project}/{self.stack}" if self.organization else self.stack

    def matches(self, other: StackName) -> bool:
        """Returns whether this name matches a stack's name. Without an owner it matches any owner."""
        owner = "" if self.organization == NO_OWNER else self.organization
        return (self.project, self.stack) == (other.project, other.stack) and owner in ("", other.organization)

    def __str__(self) -> str:
        """Returns ``project/stack``, with the organization if there is one."""
        return f"{self.organization}/{self.project}/{self.stack}" if self.organization else f"{self.project}/{self.stack}"


def parse(text: str) -> StackName:
    """Returns the stack that ``PROJECT/STACK``, ``OWNER/PROJECT/STACK`` or ``STACK`` names."""
    *owner, project, stack = text.split("/") if "/" in text else (PROJECT, text)
    return StackName(project, stack, owner[0] if owner else "")


def derived(kind: str, name: str, env: str) -> StackName:
    """Returns the stack of a resource that no label names."""
    return StackName(PROJECT, stack_names.derived(kind, name, env))


def name_of(manifest: message.Message) -> StackName:
    """Returns the stack of a manifest: from its labels, else derived from environment, kind and name.

    Raises:
        PlantonError: ``USAGE``: the labels are incomplete, name another provisioner, or the name does not fit a stack.
    """
    metadata = manifest.metadata  # type: ignore[attr-defined]  # every manifest has metadata
    provisioner = metadata.labels.get(_PROVISIONER, "pulumi")
    if provisioner.lower() != "pulumi":
        raise _wrong(f"label {_PROVISIONER} is {provisioner!r}; this command provisions with pulumi only")
    fqdn = metadata.labels.get(f"{_PREFIX}stack.fqdn", "")
    parts = {part: metadata.labels.get(_PREFIX + part, "") for part in ("organization", "project", "stack.name")}
    if fqdn:
        if fqdn.count("/") != len(("organization", "project")):
            raise _wrong(f"label {_PREFIX}stack.fqdn is {fqdn!r}; it must be organization/project/stack")
        organization, project, stack = fqdn.split("/")
    elif all(parts.values()):
        organization, project, stack = parts.values()
    elif any(parts.values()):
        missing = ", ".join(_PREFIX + part for part, value in parts.items() if not value)
        raise _wrong(f"the stack labels are incomplete; missing: {missing}")
    elif metadata.name:
        return _checked(derived(manifest.DESCRIPTOR.name, metadata.name, metadata.env))
    else:
        raise _wrong(f"a {manifest.DESCRIPTOR.name} has no metadata.name, which its stack is named after")
    return _checked(StackName(project, stack, organization))


def _checked(name: StackName) -> StackName:
    for part in (name.project, name.stack, name.organization or "x"):
        if not _ALLOWED.fullmatch(part):
            raise _wrong(f"{part!r} does not fit a stack name: at most {stack_names.LONGEST} letters, digits, '-', '_' and '.'")
    return name


def _wrong(text: str) -> errors.PlantonError:
    return errors.usage(text, hint="correct metadata.name, metadata.env or the labels")
