"""Everything with a public name is documented: commands, kinds, fields, exit codes, reasons, settings."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import click
import pytest
from google.protobuf import descriptor

import planton
from planton import errors
from planton.cli import group
from planton.manifest import stack_input
from planton.modules import bounds, unsupported
from planton.schema import kinds

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
KINDS = {kind.name: kind for kind in kinds.all_kinds()}


def _text(path: pathlib.Path) -> str:
    assert path.is_file(), f"{path.relative_to(ROOT)} does not exist"
    return path.read_text("utf-8")


def _all_docs() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md")))


@pytest.mark.parametrize("reason", list(errors.Reason))
def test_every_error_reason_is_described(reason: errors.Reason) -> None:
    """The table of reasons has one row for it, with its exit code."""
    assert _text(DOCS / "reference" / "errors.md").count(f"\n| `{reason}` | ") == 1
    assert f"\n| `{reason}` | {reason.code.value} | " in _text(DOCS / "reference" / "errors.md")


@pytest.mark.parametrize("code", list(errors.Code))
def test_every_exit_code_is_described(code: errors.Code) -> None:
    """The number is in a table or in code quotes."""
    assert re.search(rf"(?m)(^\| *`?{code.value}`? *\||`{code.value}`)", _text(DOCS / "reference" / "errors.md"))


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            subcommand = command.get_command(context, each)
            assert subcommand is not None
            yield from _commands(subcommand, f"{name} {each}")


COMMANDS = dict(_commands(group.cli, "planton"))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_no_escape_sequence(name: str) -> None:
    """Click's mark of a verbatim paragraph must be the control character, not a backslash."""
    assert "\\b" not in (COMMANDS[name].help or "")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_described(name: str) -> None:
    """The command's section describes each option, or links to the shared ones."""
    page = _text(DOCS / "reference" / "cli.md")
    sections: dict[str, str] = dict(re.findall(r"(?ms)^##+ (.+?)$(.*?)(?=^##|\Z)", page))
    text = sections[name] + "".join(text for title, text in sections.items() if f"[{title}]" in sections[name])
    shared = sections["Shared options"] + text
    options = {each for parameter in COMMANDS[name].params if isinstance(parameter, click.Option) for each in parameter.opts}
    for option in sorted(each for each in options if each.startswith("--")):
        assert re.search(rf"`[^`\n]*{option}\b", text), option
        assert re.search(rf"(?m)^- `[^`\n]*{option}\b[^`\n]*`: .", shared), option


def _page(kind: str) -> str:
    return _text(DOCS / "reference" / "kinds" / f"{kind}.md")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_page(kind: str) -> None:
    """The page shows the first lines of a manifest."""
    page = _page(kind)
    assert KINDS[kind].api_version in page
    assert f"kind: {kind}" in page


def _names(type_: descriptor.Descriptor) -> set[str]:
    names: set[str] = set()
    for field in type_.fields:
        names.add(field.json_name)
        inner = field.message_type
        if inner is not None and not inner.GetOptions().map_entry and inner.name not in ("StringValueOrRef", "Int32ValueOrRef"):
            names |= _names(inner)
    return names


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_of_a_kind_is_on_its_page(kind: str) -> None:
    """The page has the fields of spec and outputs in the manifest's spelling."""
    page = _page(kind)
    spec = KINDS[kind].message.DESCRIPTOR.fields_by_name["spec"].message_type
    names = _names(spec) | _names(KINDS[kind].stack_outputs.DESCRIPTOR)
    missing = sorted(name for name in names if not re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", page))
    assert missing == []


SETTINGS = (
    unsupported.ALLOW_ANNOTATION,
    bounds.BOUND_ANNOTATION,
    stack_input.CONFIG_KEY,
    stack_input.TEXT_VARIABLE,
    stack_input.FILE_VARIABLE,
    *stack_input.FILE_NAMES,
    "pulumi.project-planton.org/stack.fqdn",
    "project-planton.org/provisioner",
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_annotation_label_and_setting_is_described(setting: str) -> None:
    """These are the settings that are not fields of a spec."""
    assert setting in _all_docs()


def _variables() -> set[str]:
    sources = [path for path in (ROOT / "src" / "planton").rglob("*.py") if "sandbox" not in path.parts]
    return {name for path in sources for name in re.findall(r'"(PLANTON_[A-Z_]+)"', path.read_text("utf-8"))}


#: Variables that planton sets itself, with the reason.
INTERNAL = {"PLANTON_CIVO_TOKEN": "the engine gives an operation's token to the process that scales pools"}


@pytest.mark.parametrize("variable", sorted(_variables() - set(INTERNAL)))
def test_every_variable_of_the_environment_is_described(variable: str) -> None:
    """Some page names it."""
    assert f"`{variable}" in _all_docs() or f"${variable}" in _all_docs()


def test_the_exceptions_are_still_needed() -> None:
    """An exception without its variable must be removed."""
    assert set(INTERNAL) <= _variables()


def test_documents_named_in_errors_and_docstrings_exist() -> None:
    """No hint or docstring names a missing page."""
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "iac").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    pages = {name for path in sources for name in re.findall(r"docs/[A-Za-z0-9_/-]+\.md", path.read_text("utf-8"))}
    assert sorted(name for name in pages if not (ROOT / name).is_file()) == []


def test_the_version_has_a_release_with_a_date() -> None:
    """The changelog lists it, and the README names it."""
    version = re.escape(planton.__version__)
    assert re.search(rf"(?m)^## \[{version}\] - \d{{4}}-\d\d-\d\d$", _text(ROOT / "CHANGELOG.md"))
    assert re.search(rf"\b{version}\b", _text(ROOT / "README.md"))
