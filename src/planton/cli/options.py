"""Options and arguments that several commands share, and what they mean."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planton import errors, flow, kinds, manifest, stack_input
from planton.cli import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton import runs
    from planton.engine import settings as engine_settings
    from planton.engine import toolchain

F = TypeVar("F", bound=Callable[..., Any])
_MINUTE = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Where the resources of a command come from.

    Attributes:
        paths: Manifests: files, folders, ``-``.
        inputs: Stack-input files.
        provider_config: A provider config file; empty for none.
        overrides: ``path=value`` settings.
        kustomize_dir: Folder of a kustomize base; empty for none.
        overlay: The overlay in it.
    """

    paths: tuple[str, ...]
    inputs: tuple[str, ...]
    provider_config: str
    overrides: tuple[str, ...]
    kustomize_dir: str
    overlay: str

    def read(self) -> list[flow.Wanted]:
        """Returns the resources, valid and with defaults.

        Raises:
            InvalidError: Everything that is wrong with any of them.
            PlantonError: Nothing is given, or something cannot be read.
        """
        if not (self.paths or self.inputs or self.kustomize_dir):
            raise errors.PlantonError(
                "nothing is given",
                code=errors.Code.USAGE,
                reason=errors.Reason.USAGE,
                hint="give manifests with -f FILE or FOLDER, stack inputs with -i FILE, or --kustomize-dir DIR",
            )
        wanted = [self._from_input(path) for path in self.inputs]
        overrides = manifest.overrides(self.overrides) if wanted else None
        if overrides is not None:
            for entry in wanted:
                overrides.apply(entry.manifest)
            if not (self.paths or self.kustomize_dir):
                overrides.finish()
        if self.paths or self.kustomize_dir:
            documents = flow.load(
                self.paths,
                stdin=sys.stdin.buffer,
                kustomize_dir=self.kustomize_dir or None,
                overlay=self.overlay or None,
                overrides=self.overrides,
            )
            wanted += [flow.Wanted(each.message, self.config(each.kind), each.file, document=each) for each in documents]
        return wanted

    def _from_input(self, path: str) -> flow.Wanted:
        text = _bytes(path).decode("utf-8", errors="replace")
        given: Any = manifest.read_stack_input(text, file=path)
        config = given.provider_config
        for name in stack_input.secret_fields(config.DESCRIPTOR):
            # What `planton stack-input` has redacted comes from where it came from then.
            if getattr(config, name) == stack_input.REDACTED:
                config.ClearField(name)
        first = self.config(kinds.get(given.target.kind))
        if first is not None:
            config.MergeFrom(first)
        return flow.Wanted(given.target, config, path)

    def config(self, kind: kinds.Kind) -> message.Message | None:
        """Returns the provider config of ``-p`` for a kind, or None.

        Raises:
            PlantonError: The file cannot be read or is not a provider config.
        """
        if not self.provider_config:
            return None
        data = _bytes(self.provider_config)
        return manifest.read_provider_config(data, file=self.provider_config, kind=kind)


def _bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
    except OSError as error:
        raise errors.PlantonError(
            f"cannot read {path}: {error.strerror}", code=errors.Code.USAGE, reason=errors.Reason.MANIFEST_UNREADABLE
        ) from None


def sources(function: F) -> F:
    """Adds the options that say which resources are meant, as the argument ``given``."""

    @click.option("-f", "--file", "paths", multiple=True, metavar="PATH", help="A manifest, a folder of them, or - .")
    @click.option("-i", "--stack-input", "inputs", multiple=True, metavar="FILE", help="A stack-input file.")
    @click.option("-p", "--provider-config", default="", metavar="FILE", help="A file with the account to use.")
    @click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Changes a field, e.g. spec.nodeCount=5.")
    @click.option("--kustomize-dir", default="", metavar="DIR", help="Folder of a kustomize base with overlays.")
    @click.option("--overlay", default="", metavar="NAME", help="The overlay in --kustomize-dir.")
    @functools.wraps(function)
    def wrapped(
        *args: object,
        paths: tuple[str, ...],
        inputs: tuple[str, ...],
        provider_config: str,
        overrides: tuple[str, ...],
        kustomize_dir: str,
        overlay: str,
        **rest: object,
    ) -> object:
        given = Sources(paths, inputs, provider_config, overrides, kustomize_dir, overlay)
        return function(*args, given=given, **rest)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


def engine(function: F) -> F:
    """Adds the options of the engine, as the argument ``settings``."""

    @click.option("--backend", default="", metavar="URL", help="Pulumi backend.  [default: a folder of this user]")
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
        default=10,
        show_default=True,
        metavar="N",
        help="Work on so many resources at once.",
    )
    @functools.wraps(function)
    def wrapped(*args: object, backend: str, timeout: float, lock_timeout: float, parallel: int, **rest: object) -> object:
        from planton.engine import settings as engine_settings  # `--help` must not wait for it

        settings = engine_settings.Settings(
            backend=backend,
            timeout=timeout * _MINUTE,
            lock_timeout=lock_timeout,
            parallel=parallel,
            environ=dict(os.environ),
            progress=render.progress,
        )
        return function(*args, settings=settings, **rest)

    return wrapped  # type: ignore[return-value]


def applied_resources(function: F) -> F:
    """Adds ``KIND/NAME`` arguments, ``--env``, and the options of ``sources`` and ``engine``: what a command on applied resources takes."""
    function = click.option("--env", default=None, metavar="ENV", help="The environment of KIND/NAME, where it is ambiguous.")(
        function
    )
    function = click.argument("resources", nargs=-1, metavar="[KIND/NAME]...")(function)
    return sources(engine(function))


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
        if click.confirm(question, err=True):
            return
        raise errors.PlantonError("nothing was changed", code=errors.Code.REFUSED, reason=errors.Reason.CONSENT_REQUIRED)
    raise errors.PlantonError(
        "this needs consent, and there is no terminal to ask on",
        code=errors.Code.REFUSED,
        reason=errors.Reason.CONSENT_REQUIRED,
        hint="add --yes",
    )


def losses_allowed(steps: Sequence[runs.Step], allowed: Sequence[str], run: runs.Run) -> None:
    """Checks that every cluster or pool that a plan replaces or deletes has been named by the user.

    Raises:
        PlantonError: ``REPLACE_REFUSED``, with what refers to each.
    """
    named = {(kind.name, name) for kind, name in map(resource, allowed)}
    for step in steps:
        lost = step.plan.losses()
        if not lost or (step.key.kind, step.key.name) in named:
            continue
        what = ", ".join(f"{change.action} {change.name}" + _because(change) for change in lost)
        users = ", ".join(map(str, run.referrers(step.key)))
        raise errors.PlantonError(
            f"the plan for {step.key} would {what}" + (f"; {users} refer to it" if users else "") + "; nothing was changed",
            code=errors.Code.REFUSED,
            reason=errors.Reason.REPLACE_REFUSED,
            hint=f"if that is what you want, add --allow-replace {step.key.kind}/{step.key.name}",
            metadata={"resource": str(step.key), "referrers": users},
        )


def _because(change: object) -> str:
    paths = [difference.path for difference in change.differences]  # type: ignore[attr-defined]  # a plans.Change
    return f" (changed: {', '.join(paths)})" if paths else ""


def applied(
    resources: Sequence[str],
    *,
    env: str | None,
    settings: engine_settings.Settings,
    tools: toolchain.Toolchain,
    given: Sources,
) -> list[flow.Wanted]:
    """Returns the resources that a command means by manifests and by ``KIND/NAME``.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    from planton.engine import inventory  # `--help` must not wait for it

    if not resources:
        return given.read()
    wanted = given.read() if given.paths or given.inputs else []
    known = inventory.Inventory(settings, tools)
    for text in resources:
        kind, name = resource(text)
        found = known.get(kind, name, env)
        wanted.append(flow.Wanted(found.manifest, given.config(kind), str(found.stack), found.region))
    return wanted
