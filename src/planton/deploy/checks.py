"""Checks of a plan against the cloud's own lists, before anything is changed.

All violations of a manifest are reported together, with places. A list that cannot be read is skipped.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.clouds import answers
from planton.config import credentials
from planton.deploy import lists, literals, names, offers, problems, quotas, subjects
from planton.engine import explain
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf import message

    from planton.engine import plans
    from planton.manifest import load
    from planton.state import inventory

#: Error codes of a plan that are about the manifest, not about the cloud or this machine.
_OF_MANIFEST = (errors.Code.INVALID, errors.Code.REFUSED)


@dataclasses.dataclass(frozen=True, slots=True)
class Existing:
    """What exists before the operation that a plan describes.

    Attributes:
        applied: The current resource of the stack; None if there is none.
        look_up: Returns the manifest that a reference refers to.
        is_finished: Whether the last operation on the stack ended cleanly, so that resources with its names belong to others.
        imports: Resource name → import id of the existing resources that the operation adopts.
    """

    applied: inventory.Applied | None
    look_up: Callable[[references.Key], message.Message | None]
    is_finished: bool = True
    imports: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Checks:
    """The checks of one run, which share their lists. Thread-safe."""

    def __init__(self, progress: Callable[[str], None], *, open_cloud: Callable[[Any, str], clouds.Cloud] = clouds.of) -> None:
        """Reads nothing yet.

        Args:
            progress: Receives notes for the user.
            open_cloud: Returns the cloud of a provider config, in a region or else in the config's default.

        Attributes:
            answers: The cached responses of the clouds in this run.
        """
        self._open_cloud = open_cloud
        self.answers = answers.Answers()
        self._notes = lists.Notes(progress)
        self._needs = quotas.Needs()

    def _lists(self, stack_input: Any, region: str = "") -> lists.Lists:  # of any kind
        cloud = self._open_cloud(stack_input.provider_config, region or references.own_region(stack_input.target))
        return lists.Lists(clouds.remembering(cloud, self.answers), self._notes)

    def resolved(self, entry: load.Resource, stack_input: Any) -> Any:  # a stack input of any kind, and one of the same
        """Returns a stack input in which ids replace all literal names of cloud resources.

        Args:
            entry: The manifest as it was given.
            stack_input: Its references are resolved; it is not changed.

        Raises:
            InvalidError: ``NOT_FOUND``; ``AMBIGUOUS``, with the ids.
        """
        names = list(literals.find(entry.manifest))
        if not names:
            return stack_input
        copy = type(stack_input)()
        copy.CopyFrom(stack_input)
        regions = literals.Regions()
        if not entry.region:
            regions = literals.regions_of_cluster(
                copy.target, names, self._lists(stack_input), in_region=lambda code: self._lists(stack_input, code)
            )
        if len(regions.having) == 1:
            credentials.set_region(copy.provider_config, regions.having[0])
        unresolved = literals.resolve(copy.target, names, self._lists(copy), regions=regions)
        if unresolved:
            raise problems.error(entry, unresolved)
        return copy

    def planned(
        self,
        entry: load.Resource,
        stack_input: Any,  # of any kind
        make: Callable[[], plans.Plan],
        existing: Existing,
    ) -> plans.Plan:
        """Returns the plan of a resource, if the cloud accepts it.

        Args:
            entry: The manifest as it was given.
            stack_input: The stack input of the plan.
            make: Creates the plan.
            existing: What exists before the operation.

        Raises:
            InvalidError: All violations that the cloud would refuse.
            PlantonError: The plan cannot be created.
        """
        plan, failure = None, None
        try:
            plan = make()
        except errors.PlantonError as error:
            if error.code not in _OF_MANIFEST:
                raise
            failure = error
        if plan is None or not plan.empty:
            account = self._lists(stack_input)
            subject = _subject(entry, stack_input, plan, existing, account)
            wrong = offers.check(subject, account)
            is_in_region = all(problem.rule != "cloud.region_offered" for problem in wrong)
            if is_in_region:
                wrong += [*names.places(subject, account), *names.overlaps(subject, account)]
                wrong += names.taken(subject, account) if existing.is_finished else ()
            wrong += quotas.check(subject, account, self._needs)
            wrong += _refused(failure)
            if wrong:
                raise problems.error(entry, wrong)
        if failure is not None:
            raise failure
        assert plan is not None, "without a plan an error was raised"
        return plan


def placed(error: errors.PlantonError, entry: load.Resource) -> errors.PlantonError:
    """Returns an error of the engine with the places of the fields that a plugin refused; other errors unchanged."""
    refused = _refused(error)
    return problems.error(entry, refused) if refused else error


def _refused(error: errors.PlantonError | None) -> list[problems.Problem]:
    faults = error.faults if isinstance(error, explain.OperationError) else ()
    return [problems.Problem(fault.path, fault.text, "plugin.check") for fault in faults]


def _subject(
    entry: load.Resource,
    stack_input: Any,  # of any kind
    plan: plans.Plan | None,
    existing: Existing,
    account: lists.Lists,
) -> subjects.Subject:
    applied, look_up = existing.applied, existing.look_up
    target = stack_input.target
    config = stack_input.provider_config
    complete = applied if applied is not None and applied.complete else None
    referenced = {each.path: look_up(each.target) for each in references.find(entry.manifest)}
    return subjects.Subject(
        entry,
        target,
        clouds.provider_of(config),
        references.region(entry.manifest, look_up).lower() or _region_of_cluster(target, account) or _default_region(config),
        None if complete is None else complete.manifest,
        "" if complete is None else complete.identity,
        applied is not None,
        plan,
        {path: manifest for path, manifest in referenced.items() if manifest is not None},
        existing.imports,
    )


def _region_of_cluster(target: Any, account: lists.Lists) -> str:  # of any kind
    kind = kinds.get(target.kind)
    if not kind.is_node_pool:
        return ""
    cluster_id = kind.cluster_id(target)
    clusters = account.existing("cluster") or ()
    return next((each.region for each in clusters if each.id == cluster_id), "")


def _default_region(config: Any) -> str:  # a provider config of any cloud
    # A cloud without regions has no such field.
    field = config.DESCRIPTOR.fields_by_name.get("default_region")
    if field is None or not config.default_region:
        return ""
    return str(field.enum_type.values_by_number[config.default_region].name if field.enum_type else config.default_region)
