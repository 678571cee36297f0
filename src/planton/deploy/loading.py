"""Load and validate: paths, texts or messages → resources. It needs no Pulumi."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from google.protobuf import message

from planton.deploy import check
from planton.deploy import graph as graphs
from planton.manifest import load as loader
from planton.manifest import selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from planton import errors
    from planton.manifest import policies

    #: A source (`planton.manifest.load.Input`), or a resource that was loaded from one.
    Source: TypeAlias = loader.Input | loader.Resource
    #: One source, or several.
    Sources: TypeAlias = Source | Iterable[Source]


def load(
    sources: Sources,
    *,
    overrides: Sequence[str] = (),
    env: str | None = None,
    provider_config: message.Message | None = None,
) -> list[loader.Resource]:
    """Returns the resources of manifests, valid and with defaults. References are not resolved.

    Args:
        sources: One source or several: paths of files and folders, YAML or JSON texts, generated messages. A text has several lines
            or begins with a brace; any other ``str`` is a path.
        overrides: ``PATH=VALUE``, set in every manifest that has the field, for example ``spec.nodeCount=5``.
        env: Only resources of this environment; None for all.
        provider_config: The account of all resources; None to choose it by the manifest and the environment.

    Raises:
        planton.InvalidError: All violations of all manifests.
        planton.PlantonError: ``MANIFEST_UNREADABLE``; ``USAGE``: an override does not fit, or the environment has no resources.
    """
    listed = _listed(sources)
    loaded = [source for source in listed if isinstance(source, loader.Resource)]
    inputs = tuple(source for source in listed if not isinstance(source, loader.Resource))
    if inputs:
        read = selection.Selection(inputs, overrides=tuple(overrides), env=env).read()
        loaded += [resource if provider_config is None else _with_config(resource, provider_config) for resource in read]
    return loaded


def _with_config(resource: loader.Resource, config: message.Message) -> loader.Resource:
    return dataclasses.replace(resource, config=config)


def graph(sources: Sources) -> graphs.Graph:
    """Returns the resources of manifests with their dependencies, in the order of an apply. No cloud and no state is read.

    Args:
        sources: One source or several, as for `load`.

    Raises:
        planton.InvalidError: The manifests are invalid; a cycle; a duplicate.
    """
    return graphs.of(load(sources))


def validate(sources: Sources, *, rules: Sequence[policies.Rule] = ()) -> list[errors.Violation]:
    """Returns everything that is wrong with manifests, alone and together; an empty list if they are valid.

    Nothing is asked of a cloud or of a state.

    Args:
        sources: One source or several, as for `load`.
        rules: Policies of the user (`planton.manifest.policies.load`).

    Raises:
        planton.PlantonError: ``MANIFEST_UNREADABLE``.
    """
    inputs = [source.manifest if isinstance(source, loader.Resource) else source for source in _listed(sources)]
    violations: list[errors.Violation] = []
    for batch in check.check(loader.texts(inputs), rules=rules):
        if batch.error is not None:
            raise batch.error
        violations += batch.violations
    return violations


def _listed(sources: Sources) -> list[Source]:
    if isinstance(sources, str | os.PathLike | message.Message | loader.Resource | loader.Text):
        return [sources]
    return list(sources)
