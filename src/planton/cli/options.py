"""Options and arguments that several commands share, and what they mean."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from planton import errors
from planton.base import interruption, terminal
from planton.cli import render
from planton.manifest import load, selection
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.deploy.run import Run
    from planton.deploy.steps import Step
    from planton.engine import plans, toolchain

F = TypeVar("F", bound=Callable[..., Any])
_MINUTE = 60.0
#: How the environment of a resource without one is called, in stack names too.
_NO_ENV = "default"


Sources: TypeAlias = selection.Selection


def sources(function: F) -> F:
    """Adds the options that say which resources are meant, as the argument ``given``."""

    @click.option("-f", "--file", "paths", multiple=True, metavar="PATH", help="A manifest, a folder of them, or - .")
    @click.option("-i", "--stack-input", "inputs", multiple=True, metavar="FILE", help="A stack-input file.")
    @click.option("-p", "--provider-config", default="", metavar="FILE", help="A file with the account to use.")
    @click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Changes a field, e.g. spec.nodeCount=5.")
    @click.option("--kustomize-dir", default="", metavar="DIR", help="Folder of a kustomize base with overlays.")
    @click.option("--overlay", default="", metavar="NAME", help="The overlay in --kustomize-dir.")
    @click.option("--env", default=None, metavar="ENV", help="Only resources of this environment.")
    @click.option(
        "-l", "--selector", multiple=True, metavar="KEY=VALUE", help="Only resources with this label in their metadata."
    )
    @functools.wraps(function)
    def wrapped(
        *args: object,
        paths: tuple[str, ...],
        inputs: tuple[str, ...],
        provider_config: str,
        overrides: tuple[str, ...],
        kustomize_dir: str,
        overlay: str,
        env: str | None,
        selector: tuple[str, ...],
        **rest: object,
    ) -> object:
        labels = tuple(_label(text) for word in selector for text in word.split(","))
        given = Sources(paths, inputs, provider_config, overrides, kustomize_dir, overlay, env, labels)
        return function(*args, given=given, **rest)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--selector")
    return key, value


def engine(function: F) -> F:
    """Adds the options of the engine, as the argument ``settings``."""

    @click.option("--backend", default="", metavar="URL", help="Pulumi backend.  [default: a folder of this user]")
    @click.option(
        "--context",
        "context_name",
        default="",
        metavar="NAME",
        shell_complete=complete_context,
        help="Backend, accounts and more by name.  [default: the current context]",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(min=0.01),
        default=20.0,
        show_default=True,
        metavar="MINUTES",
        help="Give up waiting for the cloud after this.",
    )
    @click.option(
        "--lock-timeout",
        type=float,
        default=0.0,
        show_default=True,
        metavar="SECONDS",
        help="Wait this long for another operation.",
    )
    @click.option(
        "--parallel",
        type=click.IntRange(min=1),
        show_default="by memory",
        metavar="N",
        help="Work on so many resources at once.",
    )
    @functools.wraps(function)
    def wrapped(
        *args: object, backend: str, context_name: str, timeout: float, lock_timeout: float, parallel: int | None, **rest: object
    ) -> object:
        from planton.config import contexts
        from planton.config import settings as engine_settings
        from planton.engine import environment, logs  # `--help` must not wait for it

        environ = dict(os.environ)
        logs.begin("-".join(click.get_current_context().command_path.split()[1:]), sys.argv[1:], environ)
        settings = engine_settings.Settings(
            backend=backend,
            timeout=timeout * _MINUTE,
            lock_timeout=lock_timeout,
            parallel=parallel or engine_settings.default_parallel(),
            environ=environ,
            progress=_progress,
            interruption=interruption.Interruption(_progress),
            context=contexts.choose(context_name, environ),
        )
        with environment.hidden_from_sdk(os.environ):
            return function(*args, settings=settings, **rest)

    return wrapped  # type: ignore[return-value]


def _progress(line: str) -> None:
    import logging  # `--help` must not wait for it

    logging.getLogger(__name__).info("%s", line)
    render.progress(line)


def complete_context(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the names of contexts that begin so, for completion."""
    from planton.config import contexts  # only while completing

    try:
        return [name for name in sorted(contexts.read(os.environ).named) if name.startswith(incomplete)]
    except errors.PlantonError:
        return []


def complete_resource(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the kinds that begin so, as the beginning of ``KIND/NAME``, for completion."""
    return [f"{kind.name}/" for kind in kinds.all_kinds() if kind.name.lower().startswith(incomplete.lower())]


def env_of(settings: engine_settings.Settings, env: str | None) -> str | None:
    """Returns the environment that ``KIND/NAME`` is looked for in: that of ``--env``, else of the context; None for any."""
    return env if env is not None else settings.context.env or None


@dataclasses.dataclass(frozen=True, slots=True)
class Consents:
    """The consents that the user gave by options.

    Attributes:
        allow_replace: ``KIND/NAME`` or ``ENV/KIND/NAME`` of clusters and pools that may be replaced, recreated or deleted.
        allow_unsupported: Fields that may have no effect.
        prune: Whether to destroy resources that are no longer in the given folders.
        take_over: ``KIND/NAME`` or ``ENV/KIND/NAME`` of resources of other folders that may be taken over.
    """

    allow_replace: tuple[str, ...]
    allow_unsupported: tuple[str, ...]
    prune: bool
    take_over: tuple[str, ...]


#: Adds the option that consents to changing resources that another folder applied.
take_over = click.option(
    "--take-over",
    multiple=True,
    metavar="KIND/NAME",
    help="Consent to taking over a resource of another folder; or ENV/KIND/NAME.",
)
#: Adds the option that says whether the cloud is read before a plan.
refresh = click.option(
    "--refresh",
    type=bool,
    is_flag=False,
    flag_value="true",
    default="true",
    metavar="[true|false]",
    help="Read the cloud first.  [default: true]",
)


def consents(function: F) -> F:
    """Adds the options by which a user agrees to more than creations and changes, as the argument ``consents``."""

    @click.option(
        "--allow-replace",
        multiple=True,
        metavar="KIND/NAME",
        help="Consent to replacing, recreating or deleting a cluster or pool; or ENV/KIND/NAME.",
    )
    @take_over
    @click.option("--allow-unsupported", multiple=True, metavar="FIELD", help="Accept that a field has no effect.")
    @click.option("--prune", is_flag=True, help="Also destroy what was applied from these folders and is no longer in them.")
    @functools.wraps(function)
    def wrapped(
        *args: object,
        allow_replace: tuple[str, ...],
        allow_unsupported: tuple[str, ...],
        prune: bool,
        take_over: tuple[str, ...],
        **rest: object,
    ) -> object:
        return function(*args, consents=Consents(allow_replace, allow_unsupported, prune, take_over), **rest)

    return wrapped  # type: ignore[return-value]


#: Adds the option that says which of several stacks ``KIND/NAME`` means.
stack = click.option("--stack", default="", metavar="PROJECT/STACK", help="The stack, where KIND/NAME is ambiguous.")


def which(function: F) -> F:
    """Adds the options that say which resource an ambiguous ``KIND/NAME`` means, as the arguments ``env`` and ``stack``."""
    env = click.option("--env", default=None, metavar="ENV", help="The environment, where KIND/NAME is ambiguous.")
    return env(stack(function))


def applied_resources(function: F) -> F:
    """Adds ``KIND/NAME`` arguments and the options of ``sources`` and ``engine``: what a command on applied resources takes."""

    @click.argument("resources", nargs=-1, metavar="[KIND/NAME]...", shell_complete=complete_resource)
    @stack
    @functools.wraps(function)
    def wrapped(*args: object, given: Sources, stack: str, **rest: object) -> object:
        return function(*args, given=dataclasses.replace(given, stack=stack), **rest)

    return sources(engine(wrapped))  # type: ignore[return-value]  # click decorates functions of any signature


def tools(settings: engine_settings.Settings) -> toolchain.Toolchain:
    """Returns the toolchain, installed if need be.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``; ``EXTRA_MISSING``.
    """
    from planton.engine import toolchain  # `--help` must not wait for it

    return toolchain.find(settings.environ) or toolchain.setup(settings.progress, settings.environ)


def resource(text: str) -> tuple[kinds.Kind, str]:
    """Returns what ``KIND/NAME`` means; the kind in singular or plural and any case.

    Raises:
        PlantonError: ``USAGE``; ``KIND_UNKNOWN``.
    """
    kind, slash, name = text.partition("/")
    if not slash or not name or not kind:
        raise errors.PlantonError(
            f"{text!r} is not KIND/NAME",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="write for example civokubernetesclusters/dev-cluster",
        )
    return kinds.parse(kind), name


def consent(question: str, *, yes: bool) -> None:
    """Asks on a terminal; elsewhere demands ``--yes``.

    Raises:
        PlantonError: ``CONSENT_REQUIRED``.
    """
    if yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        if click.confirm(terminal.one_line(question), err=True):
            return
        raise errors.PlantonError("nothing was changed", code=errors.Code.REFUSED, reason=errors.Reason.CONSENT_REQUIRED)
    raise errors.PlantonError(
        "this needs consent, and there is no terminal to ask on",
        code=errors.Code.REFUSED,
        reason=errors.Reason.CONSENT_REQUIRED,
        hint="add --yes",
    )


def losses_allowed(steps: Sequence[Step], allowed: Sequence[str], run: Run) -> None:
    """Checks that every cluster or pool that a plan replaces or deletes has been named by the user.

    Where the plan has one of this kind and name in several environments, the environment must be named too.

    Raises:
        PlantonError: ``REPLACE_REFUSED``, with what refers to each.
    """
    for step in steps:
        lost = step.plan.losses()
        if not lost or _is_named(step, steps, allowed):
            continue
        what = ", ".join(_loss(step, change) for change in lost)
        # Others refer to a cluster, and never to one of its additional pools.
        whole = any(not change.name.startswith("node_pool-") for change in lost)
        users = ", ".join(map(str, run.referrers(step.key))) if whole else ""
        raise errors.PlantonError(
            f"the plan for {step.key} would {what}" + (f"; {users} refer to it" if users else "") + "; nothing was changed",
            code=errors.Code.REFUSED,
            reason=errors.Reason.REPLACE_REFUSED,
            hint=f"if that is what you want, add --allow-replace {_consent_to(step, steps)}",
            metadata={"resource": str(step.key), "referrers": users},
        )


def take_overs_allowed(steps: Sequence[Step], allowed: Sequence[str]) -> None:
    """Checks that the user has named each resource that another folder applied.

    Raises:
        PlantonError: ``TAKE_OVER_REFUSED``, with the other folder.
    """
    for step in steps:
        if step.owner and not _is_named(step, steps, allowed):
            raise errors.PlantonError(
                f"{step.key} was applied from {step.owner}, and this manifest is in another folder; nothing was changed",
                code=errors.Code.REFUSED,
                reason=errors.Reason.TAKE_OVER_REFUSED,
                hint="choose another metadata.name or env; or, to move the resource to this folder, add --take-over "
                + _consent_to(step, steps),
                metadata={"resource": str(step.key), "owner": step.owner},
            )


def _is_named(step: Step, steps: Sequence[Step], allowed: Sequence[str]) -> bool:
    named = set(map(_consented, allowed))
    short = (step.key.kind, step.key.name)
    return (step.key.env or _NO_ENV, *short) in named or (_is_unique(step, steps) and ("", *short) in named)


def _is_unique(step: Step, steps: Sequence[Step]) -> bool:
    return sum((each.key.kind, each.key.name) == (step.key.kind, step.key.name) for each in steps) == 1


def _consent_to(step: Step, steps: Sequence[Step]) -> str:
    short = (step.key.kind, step.key.name)
    return "/".join(short if _is_unique(step, steps) else (step.key.env or _NO_ENV, *short))


def _loss(step: Step, change: plans.Change) -> str:
    action = "recreate" if step.plan.is_recreation(change) else str(change.action)
    return f"{action} {change.name}" + _because(change)


def _consented(text: str) -> tuple[str, str, str]:
    env, _, rest = text.partition("/") if text.count("/") > 1 else ("", "", text)
    kind, name = resource(rest)
    return env, kind.name, name


def _because(change: plans.Change) -> str:
    paths = [difference.path for difference in change.differences]
    return f" (changed: {', '.join(paths)})" if paths else ""


def applied(
    resources: Sequence[str],
    *,
    settings: engine_settings.Settings,
    tools: toolchain.Toolchain,
    given: Sources,
) -> list[load.Resource]:
    """Returns the resources that a command means by manifests and by ``KIND/NAME``.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    from planton.state import inventory  # `--help` must not wait for it

    if given.stack and not resources:
        raise errors.PlantonError(
            "--stack says which KIND/NAME is meant, and none is given",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="the stack of a manifest is what its labels say",
        )
    if not resources:
        return given.read()
    wanted = given.read() if given.paths or given.inputs else []
    known = inventory.Inventory(settings, tools)
    for text in resources:
        kind, name = resource(text)
        found = known.get(kind, name, env_of(settings, given.env), given.stack)
        wanted.append(load.Resource(found.manifest, given.config(kind), str(found.stack), found.region, origin=found.origin))
    return wanted
