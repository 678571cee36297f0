"""Renders the reference page of the command line. An option that several commands share is described once."""

from __future__ import annotations

import collections
import inspect
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: An option is shared if this many commands describe it in the same words.
_SHARED = 2
_INTRO = """\
<!-- Written by tools/reference.py from the command line. Change the help there, then run `make gen`. -->

# Commands

Look up a command's arguments, options and exit codes. Its own help adds details and examples:

```sh
planton COMMAND --help
planton completion bash      # completes commands, options, kinds and fields
```

[Errors](errors.md) lists the exit codes.

## Shared options

A command that names one of these options, or a group of them, uses it as described here. `--help` works everywhere.
"""
#: The paragraph with the exit codes in a help text contains this.
_CODES = "Exit codes: "
#: An option of a group that always appears together → the title of the group.
_TITLES = {"--set": "Manifest options", "--backend": "Engine options", "--server": "API options"}


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
    """Returns the page of a group of commands and all its subcommands."""
    pages = list(_commands(group, "planton"))
    options = {name: _options(name, command) for name, command in pages}
    shared = _shared(options)
    bundles = _bundles(options, shared)
    bundled = {option for bundle in bundles.values() for option in bundle}
    lines = [_INTRO, *_list(option for option in shared if option not in bundled)]
    for title, bundle in bundles.items():
        lines += [f"### {title}", "", *_list(bundle)]
    for name, command in pages:
        lines += _section(name, command, shared, bundles)
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
    options = [Option(*record) for record in records if record and record[0].startswith("-")]
    return [option for option in options if option.name != "--help"]


def _shared(options: Mapping[str, list[Option]]) -> list[Option]:
    """Returns the most frequent description of each option that is shared, sorted by the option's long name."""
    counts = collections.Counter(option for each in options.values() for option in each)
    frequent = sorted((option for option in counts if counts[option] >= _SHARED), key=lambda option: (-counts[option], option))
    by_name: dict[str, Option] = {}
    for option in frequent:
        by_name.setdefault(option.name, option)
    return [by_name[name] for name in sorted(by_name)]


def _bundles(options: Mapping[str, list[Option]], shared: list[Option]) -> dict[str, list[Option]]:
    """Returns the shared options that always appear together, by title."""
    users = {option: frozenset(name for name, each in options.items() if option in each) for option in shared}
    first = {option.name: option for option in shared}
    return {
        title: [option for option in shared if users[option] == users[first[name]]]
        for name, title in _TITLES.items()
        if name in first
    }


def _list(options: Iterable[Option]) -> list[str]:
    return [*(f"- `{option.form}`: {_escape(' '.join(option.text.split()))}" for option in options), ""]


def _section(name: str, command: click.Command, shared: list[Option], bundles: Mapping[str, list[Option]]) -> list[str]:
    lines = [f"## {name}", ""]
    if not isinstance(command, click.Group):
        with click.Context(command, info_name=name) as context:
            lines += [f"`{' '.join([name, *command.collect_usage_pieces(context)])}`", ""]
    summary, *details = inspect.cleandoc(command.help or "").split("\n\n")
    codes = [text for text in details if _CODES in text]
    lines += [_escape(" ".join([summary, *(text[text.index(_CODES) :] for text in codes)])), ""]
    options = _options(name, command)
    if own := [option for option in options if option not in shared]:
        lines += _list(own)
    common = [option for option in options if option in shared]
    titles = {title: bundle for title, bundle in bundles.items() if set(bundle) <= set(common)}
    links = [f"[{title}](#{title.lower().replace(' ', '-')})" for title in titles]
    single = [option for option in common if not any(option in bundle for bundle in titles.values())]
    if names := [*links, *(f"`{option.name}`" for option in single)]:
        lines += [f"Shared: {', '.join(names)}.", ""]
    return lines


def _escape(text: str) -> str:
    return text.replace("<", "\\<").replace("*", "\\*")
