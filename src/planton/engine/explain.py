"""Errors of clouds, plugins and the engine, turned into ours: what failed, the cloud's own text, what to do next."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import retries
from planton.engine import causes, check_faults, states
from planton.schema import kinds, providers, references

if TYPE_CHECKING:
    from pulumi.automation import errors as automation_errors

    from planton.engine import recorders


class OperationError(errors.PlantonError):
    """An operation on a stack that failed.

    Attributes:
        uncertain: URNs of creations that may have reached the cloud although they failed here.
        recorder: The events up to the failure.
        faults: The fields of the manifest that a plugin has refused.
    """

    uncertain: tuple[str, ...] = ()
    recorder: recorders.Recorder | None = None
    faults: tuple[check_faults.Fault, ...] = ()


#: "nil state" is what the engine says of a plugin that made a resource and then could not read it.
_LOST = re.compile(
    rf"EOF|UNAVAILABLE|exited prematurely|timeout|timed out|reset by peer|connection|nil state during Create|: 408\b|{retries.TROUBLE}",
    re.IGNORECASE,
)
#: The cloud answered the creation itself with 4xx, so nothing was created. Only 408 leaves that open.
_REFUSED = re.compile(r"POST \S+: 4(?!08)\d\d\b|failed to create (?!a new firewall).*\bstatus: 4(?!08)\d\d\b", re.DOTALL)
#: The HTTP status in a plugin's text, and the words in which clouds report that a region has no machines left.
_STATUS = re.compile(r"(?::|status:|code:?|Error) (4\d\d|5\d\d)\b")
_NO_CAPACITY = re.compile(r"capacity|out of stock|sold out|no available (?:nodes|machines|hosts)", re.IGNORECASE)
_LOCKED = re.compile(r"currently locked by|the stack is locked|another update is currently in progress", re.IGNORECASE)
LOCK_HINT = (
    "wait until the other operation ends, then run the same command again; a lock that a killed operation on another machine "
    "has left behind is removed by: planton state unlock KIND/NAME"
)
_UNDECRYPTED = "incorrect passphrase"
DECRYPTION_HINT = (
    "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to what the state was made with, or use the context that names "
    "its file"
)
_VERBS = {"create": "create", "create-replacement": "create", "update": "update", "delete": "delete", "delete-replaced": "delete"}
#: What changes nothing, so that nothing can be saved.
READING = ("plan", "drift")
#: Lines of the engine that say nothing about what went wrong.
_NOISE = re.compile(r"^(update|preview|refresh|destroy) failed$|^error: |^preview of update|^\d+ errors? occurred:?$")


@dataclasses.dataclass(frozen=True, slots=True)
class Ending:
    """What ended an operation besides the engine itself.

    Attributes:
        interrupted: Whether the user did.
        timed_out: The seconds of the timeout that did; None if none did.
        killed: Whether the engine was killed.
        program: The error of the module; None if it had none.
    """

    interrupted: bool = False
    timed_out: float | None = None
    killed: bool = False
    program: errors.PlantonError | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the engine could not report what it began."""
        return self.interrupted or self.timed_out is not None or self.killed


def operation(
    operation_name: str,
    error: automation_errors.CommandError,
    recorder: recorders.Recorder,
    *,
    target: Any,  # a manifest of any kind, or None
    ending: Ending,
) -> OperationError:
    """Returns our error for an operation that Pulumi has ended with an error."""
    program = ending.program
    texts = tuple(dict.fromkeys(text for _, text in recorder.errors if not _NOISE.match(text)))
    if program is not None:
        explained = OperationError(program.message, reason=program.reason, hint=program.hint, metadata=program.metadata)
    elif ending.interrupted:
        explained = OperationError(
            f"{operation_name} was interrupted{_saved_suffix(operation_name)}",
            reason=errors.Reason.INTERRUPTED,
            hint="run the same command again: it reads the cloud and continues",
        )
    elif ending.timed_out is not None:
        explained = stuck(operation_name, ending.timed_out, target)
    elif ending.killed:
        explained = _killed(operation_name, target)
    elif _LOCKED.search(str(error)):
        explained = _locked(str(error))
    elif _UNDECRYPTED in str(error):
        explained = OperationError(
            f"{_context(operation_name, recorder, target)}: the state cannot be decrypted: {_UNDECRYPTED}",
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint=DECRYPTION_HINT,
        )
    else:
        explained = _failed(operation_name, texts, recorder, target, str(error))
    explained.recorder = recorder
    explained.uncertain = tuple(_uncertain(recorder, lost=ending.is_lost))
    return explained


def _locked(raw: str) -> OperationError:
    holders = [line.strip(" :") for line in raw.splitlines() if re.search(r"created by|\bby\b.*pid", line)]
    return OperationError(
        "the stack is locked in its backend" + (f": {'; '.join(holders)}" if holders else ""),
        reason=errors.Reason.STACK_LOCKED,
        hint=LOCK_HINT,
    )


def _uncertain(recorder: recorders.Recorder, *, lost: bool) -> list[str]:
    # A creation that was seen to begin, was not seen to end, or ended because the plugin or the connection went away.
    texts = {urn: text for urn, text in recorder.errors if urn}
    creating = [change.urn for change in recorder.plan().changes if change.action.value in ("create", "replace", "import")]
    unseen = [urn for urn in creating if urn not in recorder.finished]
    return [urn for urn in unseen if urn not in texts or _may_exist(texts[urn], lost=lost)]


def _may_exist(text: str, *, lost: bool) -> bool:
    return not _REFUSED.search(text) and (lost or bool(_LOST.search(text)))


def stuck(operation_name: str, seconds: float, target: Any) -> OperationError:
    """Returns the error for an operation that was stopped because the cloud took longer than the timeout."""
    name = "" if target is None else f" of {target.kind} {target.metadata.name}"
    return OperationError(
        f"{operation_name}{name} has not finished after {seconds / 60:g} minutes and was stopped{_saved_suffix(operation_name)}",
        reason=errors.Reason.CLOUD_STUCK,
        hint=causes.STUCK_HINT,
    )


def _saved_suffix(operation_name: str) -> str:
    return "" if operation_name in READING else "; what was done is saved"


def _killed(operation_name: str, target: Any) -> OperationError:
    name = "" if target is None else f" of {target.kind} {target.metadata.name}"
    return OperationError(
        f"Pulumi was killed in the middle of the {operation_name}{name}",
        reason=errors.Reason.ENGINE_KILLED,
        hint="the machine may have run out of memory; run the same command again: it reads the cloud and continues",
    )


def _failed(operation_name: str, texts: tuple[str, ...], recorder: recorders.Recorder, target: Any, raw: str) -> OperationError:
    cloud = "; ".join(_tidy(text) for text in texts) or last_lines(raw)
    cause = causes.find(cloud)
    context = _context(operation_name, recorder, target)
    faults = () if target is None else check_faults.find(texts, target)
    if faults and not _is_of_cloud(cause):
        return _refused(context, faults)
    spoken = "" if target is None else f"{target.kind}/{target.metadata.name}"
    return OperationError(
        f"{context}: {cloud}",
        reason=cause.reason if cause else errors.Reason.ENGINE_FAILED,
        hint=cause.hint.format(target=spoken)
        if cause
        else f"fix the cause, then run the same command again{_saved_suffix(operation_name)}",
        metadata={"target": spoken, **_facts(cloud, target)},
    )


def add_condition(error: OperationError, text: str, target: Any) -> None:  # a manifest of any kind
    """Adds what the cloud reports of a resource to an error whose own text names no cause."""
    error.message = f"{error.message}: {text}"
    error.metadata |= _facts(text, target)
    cause = causes.find(text)
    if cause is not None:
        error.reason, error.hint = cause.reason, cause.hint.format(target=f"{target.kind}/{target.metadata.name}")


def _facts(cloud: str, target: Any) -> dict[str, str]:
    status = _STATUS.search(cloud)
    lacking = "" if target is None else kinds.get(target.kind).cloud.lacking(cloud)
    lacking = lacking or ("capacity" if _NO_CAPACITY.search(cloud) else "")
    lacks = {"lacks": lacking} if lacking else {}
    return {**lacks, "status": status[1]} if status else lacks


def _is_of_cloud(cause: causes.Cause | None) -> bool:
    # A diff also queries the cloud. A refused value may contain a word that looks like another cause.
    return cause is not None and cause.reason in (
        errors.Reason.CLOUD_AUTH,
        errors.Reason.CLOUD_FAILED,
        errors.Reason.CLOUD_UNREACHABLE,
        errors.Reason.ENGINE_FAILED,
        errors.Reason.STATE_NOT_SAVED,
    )


def _refused(context: str, faults: tuple[check_faults.Fault, ...]) -> OperationError:
    listed = "; ".join(f"{fault.path}: {fault.text}" if fault.path else fault.text for fault in faults)
    refused = OperationError(
        f"{context}: {listed}",
        reason=errors.Reason.MANIFEST_INVALID,
        hint="correct the manifest",
    )
    refused.faults = faults
    return refused


def _context(operation_name: str, recorder: recorders.Recorder, target: Any) -> str:
    for provider in providers.all_providers().values():
        if any(part in text for part in provider.setup_errors for _, text in recorder.errors):
            return f"failed to setup {provider.spoken} provider"
    for urn, action in recorder.failed.items():
        kind = kinds.of_type(states.type_and_name(urn)[0])
        verb = _VERBS.get(action)
        if kind is not None and verb:
            return f"failed to {verb} {_spoken_noun(kind)} {_spoken_name(urn, target)}{_place(target)}"
        if "::node_pool_size" in urn:
            return f"failed to scale node pool {_spoken_name(urn, target)}{_place(target)}"
    name = "" if target is None else f" {target.kind} {target.metadata.name}"
    return f"failed to {operation_name}{name}"


def _spoken_noun(kind: kinds.Kind) -> str:
    return f"Kubernetes {kind.noun}" if kind.is_cluster else kind.noun


def _place(target: Any) -> str:
    if target is None:
        return ""
    region = references.own_region(target)
    return f" ({target.kind}, region {region})" if region else f" ({target.kind})"


def _spoken_name(urn: str, target: Any) -> str:
    resource = urn.rsplit("::", 1)[-1]
    if target is None:
        return resource
    spec = target.spec
    if "-" in resource:
        return f"{resource.split('-', 1)[1]} in {spec.cluster_name}"
    kind = kinds.get(target.kind)
    if kind.is_node_pool:
        return f"{kind.cloud_name(target)} in {kind.cluster_id(target)}"
    for field in ("cluster_name", "network_name", "name"):
        if hasattr(spec, field):
            return str(getattr(spec, field))
    return str(target.metadata.name)


def _tidy(text: str) -> str:
    lines = [line.strip(" \t*") for line in text.splitlines()]
    return " ".join(line for line in lines if line and not _NOISE.match(line))


def last_lines(raw: str) -> str:
    """Returns the end of what a command of Pulumi printed, in one line."""
    lines = [re.sub(r"^\s*((stdout|stderr|error):\s*)*", "", line).rstrip() for line in raw.splitlines() if "code:" not in line]
    return " ".join([line for line in lines if line][-3:])
