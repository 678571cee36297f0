"""Renders the reference page of the command line. An option that several commands share is described once."""

from __future__ import annotations

import collections
import inspect
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: An option is shared if so many commands describe it in the same words.
_SHARED = 2
_INTRO = """\
<!-- Written by tools/reference.py from the command line. Change the help there, then run `make gen`. -->

# Commands

Print the same help on your machine, or install completion:

```sh
planton COMMAND --help
planton completion bash
```

[Errors](errors.md) lists the exit codes.

## Shared options

A command that names one of these options without a description uses it as described here. `--help` works everywhere.
"""


class Option(NamedTuple):
    """An option as ``--help`` shows it."""

    form: str
    text: str

    @property
    def name(self) -> str:
        """Returns the long name, else the short one."""
        words = [word for word in self.form.replace(",", " ").split() if word.startswith("-")]
        return max(words, key=lambda word: word.startswith("--"))


def render(group: click.Group) -> str:
    """Returns the page of a group of commands and everything below it."""
    pages = list(_commands(group, "planton"))
    shared = _shared([_options(name, command) for name, command in pages])
    lines = [_INTRO, *_list(shared)]
    for name, command in pages:
        lines += _section(name, command, shared)
    return "\n".join(lines).rstrip() + "\n"


def _commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=prefix)
    yield prefix, group
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}")
        elif command is not None:
            yield f"{prefix} {name}", command


def _options(name: str, command: click.Command) -> list[Option]:
    with click.Context(command, info_name=name) as context:
        records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    return [Option(*record) for record in records if record and record[0].startswith("-") and record[0] != "--help"]


def _shared(commands: list[list[Option]]) -> Mapping[str, Option]:
    """Returns the most frequent description of each option that is shared, by the option's long name."""
    counts = collections.Counter(option for options in commands for option in options)
    frequent = sorted((option for option in counts if counts[option] >= _SHARED), key=lambda option: (-counts[option], option))
    by_name: dict[str, Option] = {}
    for option in frequent:
        by_name.setdefault(option.name, option)
    return dict(sorted(by_name.items()))


def _list(options: Mapping[str, Option]) -> list[str]:
    return [*(f"- `{option.form}`: {_escape(' '.join(option.text.split()))}" for option in options.values()), ""]


def _section(name: str, command: click.Command, shared: Mapping[str, Option]) -> list[str]:
    lines = [f"## {name}", ""]
    if not isinstance(command, click.Group):
        with click.Context(command, info_name=name) as context:
            lines += [f"`{' '.join([name, *command.collect_usage_pieces(context)])}`", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        verbatim = paragraph.removeprefix("\b\n")
        lines += [_escape(paragraph), ""] if verbatim == paragraph else ["```text", verbatim, "```", ""]
    options = _options(name, command)
    own = {option.name: option for option in options if shared.get(option.name) != option}
    if own:
        lines += _list(own)
    if common := [f"`{option.name}`" for option in options if option.name not in own]:
        lines += [f"Shared: {', '.join(common)}.", ""]
    return lines


def _escape(text: str) -> str:
    return text.replace("<", "\\<").replace("*", "\\*")
