"""The verbs of the public SDK that lead to a change: plan, approve, apply, destroy. The command line calls nothing else."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import apply as apply_stage
from planton.deploy import approve as approve_stage
from planton.deploy import destroy as destroy_stage
from planton.deploy import (
    graph,
    importing,
    loading,
    planning,
    policing,
    prune,
    results,
    runtime,
    saved,
)
from planton.deploy import plan as plan_values
from planton.engine import environment
from planton.schema import resource_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from planton.config import settings as engine_settings
    from planton.deploy import progress
    from planton.manifest import policies


def plan(
    sources: loading.Sources,
    *,
    settings: engine_settings.Settings | None = None,
    options: plan_values.Options | None = None,
    rules: Sequence[policies.Rule] = (),
    on_progress: progress.Listener | None = None,
) -> plan_values.Plan:
    """Returns the plan of an apply. Nothing in a cloud is changed.

    Args:
        sources: One source or several, as for `load`.
        settings: The settings; None for those of the environment.
        options: What to prune, to waive and to read; None for the defaults.
        rules: Policies of the user (`planton.manifest.policies.load`).
        on_progress: Receives the progress of each resource, of the plan and of what follows it.

    Raises:
        planton.InvalidError: The manifests are invalid, or break a policy.
        planton.PlantonError: ``REFERENCE_UNRESOLVED``; ``TOOLCHAIN_MISSING``; the backend failed.
    """
    resources = loading.load(sources)
    warnings = policing.check(rules, resources)
    with runtime.working(settings, on_progress) as run:
        planned = planning.make(tuple(resources), options or plan_values.Options(), run)
    return dataclasses.replace(planned, violations=tuple(warnings))


def save(planned: plan_values.Plan, path: str, consent: approve_stage.Consent) -> None:
    """Writes a plan of an apply to a file of mode 0600, for `read_saved` and `plan_saved`. It holds manifests and no credentials.

    Args:
        planned: The plan.
        path: The file.
        consent: The consents to replacements and take-overs that the file shall hold.

    Raises:
        planton.PlantonError: ``USAGE``: it cannot be written.
    """
    key = saved.signing_key(planned.run.settings.data)
    saved.write(path, planned, allow_replace=consent.replace, take_over=consent.take_over, key=key)


def read_saved(path: str, *, settings: engine_settings.Settings | None = None) -> saved.Saved:
    """Returns a saved plan. Its attribute ``is_signed`` says whether this machine wrote it and nobody has edited it.

    Args:
        path: The file.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``USAGE``: it cannot be read, or is no plan of this version.
    """
    chosen = runtime.configure() if settings is None else settings
    return saved.read(path, key=saved.signing_key(chosen.data))


def plan_saved(
    before: saved.Saved,
    *,
    settings: engine_settings.Settings | None = None,
    rules: Sequence[policies.Rule] = (),
    options: plan_values.Options | None = None,
    on_progress: progress.Listener | None = None,
) -> plan_values.Plan:
    """Returns the present plan of a saved one. It can be approved only if nothing has changed since.

    Args:
        before: The saved plan.
        settings: The settings; None for those of the environment.
        rules: Policies of the user.
        options: The waived fields in addition to those of the saved plan.
        on_progress: Receives the progress of each resource, of the plan and of what follows it.

    Raises:
        planton.PlantonError: As `plan` does.
    """
    allowed = () if options is None else options.allow_unsupported
    own = before.allow_unsupported if before.is_signed else ()
    exact = plan_values.Options(
        allow_unsupported=(*allowed, *own),
        refresh=before.refresh,
        selection=prune.Pruning(origins=before.origins) if before.pruned else None,
        saved=before,
    )
    return plan(before.resources, settings=settings, options=exact, rules=rules, on_progress=on_progress)


def plan_import(
    sources: loading.Sources,
    name: str,
    import_id: str,
    *,
    settings: engine_settings.Settings | None = None,
    on_progress: progress.Listener | None = None,
) -> plan_values.Plan:
    """Returns the plan of the import of an existing cloud resource under a manifest.

    Args:
        sources: Sources with the manifest.
        name: ``KIND/NAME`` of the manifest.
        import_id: The cloud's id; of a node pool ``CLUSTER:POOL``, or the pool's id or name alone.
        settings: The settings; None for those of the environment.
        on_progress: Receives the progress of each resource, of the plan and of what follows it.

    Raises:
        planton.PlantonError: ``USAGE``: the manifest is missing, or there are two; the sources are invalid.
    """
    named = resource_names.parse(name)
    resources = loading.load(sources)
    keys = [key for key in graph.of(resources).order if named.matches(key)]
    if len(keys) != 1:
        text = f"{named} is " + ("passed twice" if keys else "not among the manifests")
        raise errors.usage(text, hint="pass its manifest with -f FILE")
    with runtime.working(settings, on_progress) as run:
        return importing.make(tuple(resources), keys[0], import_id, run)


def plan_destroy(
    sources: loading.Sources,
    *,
    settings: engine_settings.Settings | None = None,
    leftovers: Collection[str] = (),
    on_progress: progress.Listener | None = None,
) -> plan_values.Plan:
    """Returns the plan of a destroy: exactly the listed resources are deleted.

    Args:
        sources: Sources, as for `load`.
        settings: The settings; None for those of the environment.
        leftovers: What to delete with a cluster (`planton.Leftover`): volumes, their snapshots, load balancers, reserved addresses.
        on_progress: Receives the progress of each resource, of the plan and of what follows it.

    Raises:
        planton.PlantonError: The manifests are invalid; leftovers cannot be listed; the backend failed.
    """
    with runtime.working(settings, on_progress) as run:
        return destroy_stage.make(loading.load(sources), run, sorts=leftovers)


def approve(planned: plan_values.Plan, consent: approve_stage.Consent) -> approve_stage.Approved:
    """Returns an approved plan: what `apply` and `destroy` accept.

    Args:
        planned: A plan.
        consent: What the caller agrees to.

    Raises:
        planton.PlantonError: ``REPLACE_REFUSED``; ``TAKE_OVER_REFUSED``; ``PROTECTED``; ``PLAN_STALE``; ``CONSENT_REQUIRED``; the
            first error of the plan.
    """
    return approve_stage.Approved(planned, consent)


def missing_consent(planned: plan_values.Plan, consent: approve_stage.Consent) -> approve_stage.Consent:
    """Returns the agreement that a plan still needs: ``changes``, ``deletions`` or both. Ask the user for it before `approve`.

    Args:
        planned: A plan.
        consent: What the caller has agreed to so far.

    Raises:
        planton.PlantonError: No general agreement covers the plan: the errors of `approve` except for ``CONSENT_REQUIRED``.
    """
    return approve_stage.missing(planned, consent)


def apply(
    sources: approve_stage.Approved | plan_values.Plan | loading.Sources,
    *,
    consent: approve_stage.Consent | None = None,
    settings: engine_settings.Settings | None = None,
    check: bool = True,
) -> results.Result:
    """Changes the cloud to what manifests say, or imports a resource.

    Args:
        sources: An approved plan; or a plan or sources, with a consent.
        consent: What the caller agrees to; needed unless the plan is approved.
        settings: The settings; None for those of the environment, or of the plan.
        check: Whether to raise if a resource failed.

    Raises:
        planton.PlantonError: As `plan` and `approve` do.
        planton.RunError: A resource failed. It has the result; the next apply resumes.
    """
    approved = _approved(sources, consent, lambda inputs: plan(inputs, settings=settings))
    with environment.hidden_from_sdk(os.environ):
        return results.checked(apply_stage.apply(approved), check=check)


def destroy(
    sources: approve_stage.Approved | plan_values.Plan | loading.Sources,
    *,
    consent: approve_stage.Consent | None = None,
    settings: engine_settings.Settings | None = None,
    check: bool = True,
) -> results.Result:
    """Deletes applied resources, dependants first.

    Args:
        sources: An approved plan of a destroy; or such a plan or sources, with a consent.
        consent: What the caller agrees to; needed unless the plan is approved.
        settings: The settings; None for those of the environment, or of the plan.
        check: Whether to raise if a resource failed.

    Raises:
        planton.PlantonError: As `plan_destroy` and `approve` do.
        planton.RunError: A resource could not be deleted. It has the result.
    """
    approved = _approved(sources, consent, lambda inputs: plan_destroy(inputs, settings=settings))
    with environment.hidden_from_sdk(os.environ):
        return results.checked(destroy_stage.destroy(approved), check=check)


def _approved(
    sources: approve_stage.Approved | plan_values.Plan | loading.Sources,
    consent: approve_stage.Consent | None,
    make: Callable[[loading.Sources], plan_values.Plan],
) -> approve_stage.Approved:
    if isinstance(sources, approve_stage.Approved):
        return sources
    if consent is None:
        raise errors.consent_required(
            "this changes a cloud and needs consent; nothing was changed",
            hint="pass an approved plan (planton.approve), or consent=planton.Consent(changes=True)",
        )
    planned = sources if isinstance(sources, plan_values.Plan) else make(sources)
    return approve(planned, consent)
