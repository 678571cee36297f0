"""Load and validate: paths, YAML text or generated messages → resources. It needs no Pulumi."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import TYPE_CHECKING

from google.protobuf import message

from planton import errors, manifest
from planton.deploy import cloud_names, graph, networks, sources
from planton.manifest import load as loader
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from planton.manifest import policies

    #: A path of a file or folder, a YAML or JSON text, a generated message, or a loaded resource.
    Source = str | os.PathLike[str] | message.Message | loader.Resource
    #: One source, or several.
    Given = Source | Iterable[Source]


def load(
    given: Given,
    *,
    overrides: Sequence[str] = (),
    env: str | None = None,
    provider_config: message.Message | None = None,
) -> list[loader.Resource]:
    """Returns the resources of manifests, valid and with defaults. References are not resolved.

    Args:
        given: One source or several: paths of files and folders, YAML or JSON texts, generated messages. A text has several lines
            or begins with a brace; any other ``str`` is a path.
        overrides: ``PATH=VALUE``, set in every manifest of a path that has the field, for example ``spec.nodeCount=5``.
        env: Only resources of this environment; None for all.
        provider_config: The account of all resources; None to choose it by the manifest and the environment.

    Raises:
        planton.InvalidError: All violations of all manifests.
        planton.PlantonError: ``MANIFEST_UNREADABLE``; ``USAGE``: an override does not fit.
    """
    resources: list[loader.Resource] = []
    violations: list[errors.Violation] = []
    for source in _listed(given):
        try:
            resources += _resources(source, overrides, provider_config)
        except errors.InvalidError as error:
            violations += error.violations
    if violations:
        raise errors.InvalidError(violations)
    return [each for each in resources if env in (None, each.manifest.metadata.env)]  # type: ignore[attr-defined]  # every manifest has metadata


def validate(given: Given, *, rules: Sequence[policies.Rule] = (), env: str | None = None) -> list[errors.Violation]:
    """Returns everything that is wrong with manifests, alone and together; an empty list if they are valid.

    Nothing is asked of a cloud or of a state.

    Args:
        given: One source or several, as for `load`.
        rules: Policies of the user (`planton.manifest.policies.load`).
        env: Only resources of this environment; None for all.

    Raises:
        planton.PlantonError: ``MANIFEST_UNREADABLE``.
    """
    from planton.deploy import policing  # few programs have policies

    try:
        resources = load(given, env=env)
        known = graph.of(resources)
        violations = policing.check(rules, resources)
    except errors.InvalidError as error:
        return list(error.violations)
    checks: list[Callable[[], object]] = [
        lambda: networks.check(known.resources.values()),
        lambda: cloud_names.check(known.resources),
    ]
    for check in checks:
        try:
            check()
        except errors.InvalidError as error:
            violations += error.violations
    return violations


def _listed(given: Given) -> list[Source]:
    is_one = isinstance(given, str | os.PathLike | message.Message | loader.Resource)
    return [given] if is_one else list(given)  # type: ignore[list-item,arg-type]  # narrowed above


def _resources(source: Source, overrides: Sequence[str], config: message.Message | None) -> list[loader.Resource]:
    if isinstance(source, loader.Resource):
        return [source]
    if isinstance(source, message.Message):
        name = str(references.key(source))
        return _from_text(manifest.dump(source), name, config)
    text = os.fspath(source)
    if isinstance(source, str) and ("\n" in text or text.lstrip().startswith("{")):
        return _from_text(text, "-", config)
    read = sources.Sources((str(pathlib.Path(text)),), overrides=tuple(overrides)).read()
    return [_with_config(each, config) for each in read]


def _from_text(text: str, name: str, config: message.Message | None) -> list[loader.Resource]:
    documents, violations = loader.collect(text.encode(), file=name)
    if any(violation.level == "error" for violation in violations):
        raise errors.InvalidError(violations)
    return [loader.Resource(each.message, config, each.file, document=each) for each in documents]


def _with_config(resource: loader.Resource, config: message.Message | None) -> loader.Resource:
    return resource if config is None else dataclasses.replace(resource, config=config)
