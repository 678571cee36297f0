"""What plans and results look like for people on a terminal or in a log."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.base import terminal
from planton.cli import board, money, output, render
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planton.deploy import autoscalers as run_autoscalers
    from planton.deploy import costs, losses
    from planton.deploy import steps as deploy_steps
    from planton.engine import plans

SIGNS: Final = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "red"),
    "delete": ("-", "red"),
    "import": ("=", "cyan"),
    "forget": ("-", "yellow"),
}
#: The indentation of a line by its depth.
_INDENTATIONS: Final = ("", "  ", "      ")


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A line of a plan.

    Attributes:
        text: The text that has the style.
        depth: 0 for a title, 1 for what happens to the resource, 2 for the details of that.
        sign: The sign of a change or a problem; empty if the line has none.
        names: The names of the style, of `terminal.style`.
        note: The rest of the line, without a style.
    """

    text: str
    depth: int = 0
    sign: str = ""
    names: tuple[str, ...] = ()
    note: str = ""

    def styled(self) -> str:
        """Returns the line for a terminal, with its indentation."""
        sign = f"{self.sign} " if self.sign else ""
        return terminal.style(f"{_INDENTATIONS[self.depth]}{sign}{self.text}", *self.names) + self.note


def echo(
    steps: Sequence[deploy_steps.Step],
    cost: costs.Cost,
    *,
    title: str = "Plan",
    show_all: bool = False,
    autoscalers: Iterable[run_autoscalers.Change] = (),
) -> None:
    """Prints a plan with its summary, and its problems on standard error.

    Args:
        steps: The steps.
        cost: What the plan changes in the monthly list price.
        title: The beginning of the summary.
        show_all: Whether to show all properties of new resources.
        autoscalers: The changes of autoscalers in clusters.
    """
    changes = list(autoscalers)
    listed = [*lines(steps, show_all=show_all), *map(_autoscaler_line, changes)]
    render.echo_lines([*(line.styled() for line in listed), "", f"{title}: {total(steps, cost, changes)}"])
    echo_errors(steps)


def total(steps: Sequence[deploy_steps.Step], cost: costs.Cost, autoscalers: Iterable[run_autoscalers.Change]) -> str:
    """Returns one line that counts what a plan changes, with its price."""
    actions = [str(change.action) for change in autoscalers if change.is_change]
    counted = [summary(steps, done=False)] if not actions or any(not step.plan.empty or step.error for step in steps) else []
    counted += [f"{actions.count(action)} cluster autoscaler to {action}" for action in dict.fromkeys(actions)]
    return "; ".join(filter(None, (", ".join(counted), money.total(cost))))


_AUTOSCALER_SIGNS: Final = {"install": ("+", "green"), "update": ("~", "yellow"), "remove": ("-", "red")}


def _autoscaler_line(change: run_autoscalers.Change) -> Line:
    sign, colour = _AUTOSCALER_SIGNS.get(str(change.action), ("!", "yellow"))
    return Line(terminal.one_line(str(change)), 1, sign, (colour,))


def lines(steps: Iterable[deploy_steps.Step], *, show_all: bool = False) -> list[Line]:
    """Returns what a plan says, a line each.

    Args:
        steps: The steps.
        show_all: Whether to show all properties of new resources, and not only the important ones.
    """
    listed = []
    for step in steps:
        price = "" if step.cost is None else money.change(step.cost)
        note = f"  [{step.stack}]" + (f"  {price}" if price else "")
        listed.append(Line(terminal.one_line(str(step.key)), names=("bold",), note=note))
        if step.owner:
            listed.append(Line(f"it was applied from another folder: {step.owner}", 1, "!", ("yellow",)))
        listed += [Line(warning, 1, "!", ("yellow",)) for warning in step.plan.warnings]
        if step.skipped and step.error is not None:
            listed.append(Line(step.error.message, 1, "✗", ("yellow",)))
        elif step.error is not None:
            listed.append(Line(str(step.error.reason), 1, "✗", ("red",)))
        elif step.plan.empty:
            listed.append(Line("no changes", 1))
        for change in step.plan.changes:
            listed += change_lines(change, show_all=show_all)
            listed += [line for loss in step.losses if loss.resource == change.name for line in _loss_lines(change, loss)]
    return listed


def change_lines(change: plans.Change, *, show_all: bool = False) -> list[Line]:
    """Returns what happens to one resource, a line each."""
    sign, colour = SIGNS[str(change.action)]
    note = f"  ({change.noun})" + (f": {change.note}" if change.note else "")
    listed = [Line(f"{change.action} {terminal.one_line(change.name)}", 1, sign, (colour,), note)]
    for each in change.differences:
        forces = "  (forces the replacement)" if each.path in change.forcing else ""
        listed.append(Line(f"{each}{forces}", 2))
    # The properties of a replacement that stay the same are those of the old resource.
    is_new = str(change.action) in ("create", "import") and not change.differences
    properties = change.properties if show_all else change.important if is_new else ()
    changed = {each.path for each in change.differences}
    remaining = [(path, value) for path, value in properties if path not in changed]
    listed += [Line(f"{path}: {text}", 2) for path, text in grouped(remaining).items()]
    return listed


def grouped(properties: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Returns properties as texts by path: a list of values is one text, and so is each element of a list of objects."""
    groups: dict[str, list[str]] = {}
    for path, value in properties:
        element, dot, name = path.partition("].")
        if dot:
            nested = groups.setdefault(f"{element}]", [])
            key, text = name.partition("[")[0], terminal.value(value)
            is_same = bool(nested) and nested[-1].startswith(f"{key}=") and "[" in name
            nested[-1:] = [f"{nested[-1]},{text}"] if is_same else [*nested[-1:], f"{key}={text}"]
        else:
            groups.setdefault(path.partition("[")[0], []).append(terminal.value(value))
    return {path: (" " if path.endswith("]") else ", ").join(texts) for path, texts in groups.items()}


def loss_texts(change: plans.Change, loss: losses.Loss) -> list[str]:
    """Returns what a replacement or a deletion costs, a text each."""
    if str(change.action) == "create":
        # The warning about the missing resource says the rest.
        return []
    noun = _noun(change)
    texts = []
    if loss.nodes:
        nodes, whose, them = ("1 node is", "its", "it") if loss.nodes == 1 else (f"{loss.nodes} nodes are", "their", "them")
        drained = f"after the cloud has drained {them}" if loss.is_drained else f"without being drained: {whose} pods end at once"
        texts.append(f"{nodes} lost, {drained}")
    if loss.is_new:
        texts.append(f"the {noun} gets a new id")
    if loss.referrers:
        verb = "refer" if len(loss.referrers) > 1 else "refers"
        texts.append(f"{', '.join(map(str, loss.referrers))} {verb} to it")
    return texts


def _loss_lines(change: plans.Change, loss: losses.Loss) -> list[Line]:
    texts = [*(terminal.one_line(text) for text in loss_texts(change, loss)), f"needs {loss.consent}"]
    return [Line(text, 2, "!", ("red",)) for text in texts]


def _noun(change: plans.Change) -> str:
    kind = kinds.of_type(change.type)
    return "resource" if kind is None else kind.noun


def echo_errors(steps: Iterable[deploy_steps.Step]) -> None:
    """Prints the errors of steps on standard error; one that is a consequence of another is left out."""
    for step in steps:
        if step.own_error is not None:
            output.show_error(step.own_error, of=str(step.key))


def counts(steps: Sequence[deploy_steps.Step], *, done: bool) -> dict[str, int]:
    """Returns how often a plan has each action, without those that it does not have.

    Args:
        steps: The steps.
        done: Whether to count what has been done instead, also by steps that failed later.
    """
    changes = [str(change.action) for step in steps for change in (step.done if done else step.plan.changes)]
    return {action: changes.count(action) for action in SIGNS if action in changes}


def summary(steps: Sequence[deploy_steps.Step], *, done: bool) -> str:
    """Returns one line that counts what changes, or with ``done`` what has been changed, has failed or was skipped."""
    parts = [f"{count} {_past(name) if done else f'to {name}'}" for name, count in counts(steps, done=done).items()]
    parts += [f"{count} {name}" for name, count in outcomes(steps).items() if count]
    return ", ".join(parts) or "no changes"


def outcomes(steps: Sequence[deploy_steps.Step]) -> dict[str, int]:
    """Returns how many steps failed, were interrupted and were skipped."""
    own = [step.own_error.reason for step in steps if step.own_error is not None]
    interrupted = own.count(errors.Reason.INTERRUPTED)
    return {"failed": len(own) - interrupted, "interrupted": interrupted, "skipped": sum(step.skipped for step in steps)}


def _past(name: str) -> str:
    return {"forget": "forgotten"}.get(name, name + ("d" if name.endswith("e") else "ed"))


def result_lines(steps: Iterable[deploy_steps.Step]) -> list[str]:
    """Returns the outputs and errors of steps that have ended, a line each, coloured."""
    listed = []
    for step in steps:
        if step.error is not None:
            listed.append(terminal.style(f"{step.key}: {step.error.message}", "yellow" if step.skipped else "red"))
            listed += [f"  {board.WORDS[str(change.action)][1]} {terminal.one_line(change.name)}" for change in _named(step)]
            listed += [terminal.style(f"  {text}", "yellow") for text in unfinished_texts(step)]
            listed += [f"  → {step.error.hint}"] if step.error.hint else []
        elif step.outputs is not None:
            as_of = "" if step.is_checked or not step.up_to_date else "  (as of the last apply)"
            listed.append(terminal.style(terminal.one_line(str(step.key)), "bold") + as_of)
            listed += [f"  {name}: {_output(value)}" for name, value in stack_input.as_dict(step.outputs).items()]
    return listed


def _named(step: deploy_steps.Step) -> list[plans.Change]:
    return [change for change in step.done if str(change.action) in board.WORDS]


def unfinished_texts(step: deploy_steps.Step) -> list[str]:
    """Returns what a step has begun and not seen to end, a text each."""
    return [
        f"{board.WORDS[action][0]} {terminal.one_line(name)} was not seen to end: the cloud may finish it"
        for name, action in step.unfinished
        if action in board.WORDS
    ]


def _output(value: Any) -> str:  # JSON data
    return terminal.one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def worst(steps: Iterable[deploy_steps.Step]) -> int:
    """Returns the exit code of steps: that of the first error that is no consequence of another, else 0."""
    return next((int(step.own_error.code) for step in steps if step.own_error is not None), 0)
