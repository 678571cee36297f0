"""Manifests to start from: a file for each resource, by cloud and by template, in the folders of this package.

The files have four placeholders: ``${name}``, ``${env}``, ``${region}`` and ``${version}``. A file belongs
to a part by its name: ``network`` and ``firewall``, ``cluster``, ``pool-…``.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import string
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.base import suggestions
from planton.manifest import scalars
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Part of an environment → the prefixes of the names of its files.
PARTS: Final = {
    "cluster": ("cluster", "pool-"),
    "nodepool": ("pool-",),
    "network": ("network", "firewall"),
    "environment": ("network", "firewall", "cluster", "pool-"),
}
TEMPLATES: Final = ("dev", "staging", "prod")
#: The pools of the workloads: what a user chooses is about them.
_FIRST_POOLS: Final = ("pool-workers.yaml", "pool-general.yaml")
_SIZE: Final = re.compile(r"(?m)^(  (?:size|machineType): )(\S+)$")
_FOLDER: Final = pathlib.Path(__file__).parent
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
#: The longest name of an environment, and of a resource without its suffix, where the cloud allows more.
_LONGEST: Final = 48


@dataclasses.dataclass(frozen=True, slots=True)
class Choices:
    """What a user chooses instead of the usual values of a template.

    Attributes:
        region: The region; empty for the usual one.
        size: The machine size of the first node pool; empty for the template's.
        count: The number of nodes in it; 0 for the template's.
        version: The Kubernetes version; empty for the usual one.
    """

    region: str = ""
    size: str = ""
    count: int = 0
    version: str = ""


def make(
    part: str, provider: str, template: str, *, name: str = "", env: str = "", choices: Choices | None = None
) -> dict[str, str]:
    """Returns the files of a part: name → content, in the order of their references.

    Args:
        part: One of ``PARTS``.
        provider: The cloud.
        template: One of ``TEMPLATES``.
        name: The prefix of the names of all resources; the environment if empty.
        env: The environment; the template if empty.
        choices: What the user chooses.

    Raises:
        PlantonError: ``USAGE``: an invalid name, an unknown region, or a part that the cloud does not have.
    """
    choices = choices or Choices()
    env = _checked("environment", env or template)
    folder = _FOLDER / provider / template
    files = [path for start in PARTS[part] for path in sorted(folder.glob(f"{start}*.yaml"))]
    if not files:
        raise _usage(f"{provider} has no template of a {part}", "name an existing one in the manifest of the cluster")
    values = {
        "name": _checked("name", name or env, _longest_name(files)),
        "env": _scalar(env),
        "region": _region(provider, choices.region),
        "version": _scalar(choices.version or providers.get(provider).sample_version),
    }
    texts = {path.name: string.Template(path.read_text("utf-8")).substitute(values) for path in files}
    return {name: _sized(text, choices) if name in _FIRST_POOLS else text for name, text in texts.items()}


def usual_size(provider: str) -> str:
    """Returns the machine size of the first node pool of the template ``dev``."""
    text = (_FOLDER / provider / TEMPLATES[0] / _FIRST_POOLS[0]).read_text("utf-8")
    size = _SIZE.search(text)
    return size[2] if size else ""


def _sized(text: str, choices: Choices) -> str:
    if choices.size:
        text = _SIZE.sub(lambda match: f"{match[1]}{_scalar(choices.size)}", text)
    if choices.count:
        for field, limit in (("nodeCount", None), ("minNodes", min), ("maxNodes", max)):
            text = _with_number(text, field, choices.count, limit)
    return text


def _with_number(text: str, field: str, count: int, limit: Callable[[int, int], int] | None) -> str:
    def replaced(match: re.Match[str]) -> str:
        return f"{match[1]}{count if limit is None else limit(count, int(match[2]))}"

    return re.sub(rf"(?m)^(  {field}: )(\d+)$", replaced, text)


def _scalar(text: str) -> str:
    return f'"{text}"' if scalars.other_reading(text) or text in scalars.NULLS else text


def _checked(noun: str, text: str, longest: int = _LONGEST) -> str:
    if len(text) > longest or not _NAME.fullmatch(text):
        raise _usage(
            f"the {noun} {text[:60]!r} must be at most {longest} lower-case letters, digits and '-', beginning with a letter"
        )
    return text


def _longest_name(files: Iterable[pathlib.Path]) -> int:
    """Returns how long a name can be, so that the cloud allows it with the suffix of each resource."""
    lengths = [_LONGEST]
    for text in (path.read_text("utf-8") for path in files):
        for document in text.split("\n---\n"):
            named = re.search(r"(?m)^kind: (\S+)$", document)
            kind = None if named is None else kinds.get(named[1])
            field = "" if kind is None else kind.cloud_name_path.rpartition(".")[2]
            match = re.search(rf"(?m)^  {field}: \$\{{name\}}(\S*)$", document)
            if kind is not None and match is not None:
                lengths.append(kind.declared.longest_name - len(match[1]))
    return min(lengths)


def _region(provider: str, region: str) -> str:
    names = regions(provider)
    if not region:
        return providers.get(provider).sample_region
    if not names:
        return _checked("region", region.lower())
    if region.lower() not in names:
        hint = suggestions.suggest(region[:40], names) or f"the regions are {', '.join(names)}"
        raise _usage(f"{provider} has no region {region[:40]!r}", hint)
    return region.lower()


def regions(provider: str) -> list[str]:
    """Returns the regions of a cloud for clusters; none if the schema does not list them."""
    kind = kinds.of_role(kinds.Role.CLUSTER, provider)[0]
    described: Any = kind.message.DESCRIPTOR
    field = described.fields_by_name["spec"].message_type.fields_by_name[kind.declared.region_field]
    return [value.name for value in field.enum_type.values if value.number] if field.enum_type else []


def _usage(message: str, hint: str = "") -> errors.PlantonError:
    return errors.usage(message, hint=hint)
