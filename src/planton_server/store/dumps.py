"""PostgreSQL dumps, as ``pg_dump`` writes them: their contents, a check that they hold a server's database, and their rows.

A dump is an SQL program that would run with all privileges of the reader. So none of it is run: this release's own migrations
create the tables, and only the rows are read from the dump.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

REVISIONS: Final = "alembic_version"
#: Kinds of entries that can run code later. A server's dump has its own and no others.
_RUNNING: Final = frozenset({"TRIGGER", "EVENT TRIGGER", "RULE", "FUNCTION", "PROCEDURE", "AGGREGATE", "POLICY", "ROW SECURITY"})
_ENTRY: Final = re.compile(r"\d+; \d+ \d+ (?P<kind>[A-Z]+(?: [A-Z]+)*) (?P<schema>\S+) (?P<name>.+)")
#: In the output of a dump's rows: the start of a table's rows, and the value of a sequence.
_COPY: Final = re.compile(rb'COPY (?:"?[^ "]+"?\.)?"?(?P<table>\w+)"? \((?P<columns>[^)]*)\) FROM stdin;\n')
_SETVAL: Final = re.compile(rb"SELECT pg_catalog\.setval\('[^']*', (?P<number>\d+), (?P<used>true|false)\);")
_BLOCK: Final = 256 * 1024


class DumpError(Exception):
    """A dump that does not hold a server's database. The text is the reason."""


class Entry(NamedTuple):
    """An entry of a dump's list.

    Attributes:
        kind: ``TABLE``, ``TABLE DATA``, ``INDEX`` and so on.
        name: The name; of a trigger after its table's, of a function with its arguments.
    """

    kind: str
    name: str


class Parts(NamedTuple):
    """The contents of a database.

    Attributes:
        entries: The entries, as a dump lists them.
        texts: The names of triggers and functions, with their definitions.
    """

    entries: frozenset[Entry]
    texts: frozenset[tuple[str, str]]

    def without(self, others: Parts) -> Parts:
        """Returns the contents that only this one has."""
        return Parts(self.entries - others.entries, self.texts - others.texts)


class Dump:
    """A file that ``pg_restore`` reads."""

    def __init__(self, program: str, path: pathlib.Path) -> None:
        """Reads the table of contents.

        Args:
            program: ``pg_restore``.
            path: The file.

        Raises:
            DumpError: The file is no dump, or holds no server's database.
        """
        self._program = program
        self._path = path
        entries = [match for line in self._text("--list").splitlines() if (match := _ENTRY.match(line))]
        self._schema = next(
            (one["schema"] for one in entries if (one["kind"], one["name"].split()[0]) == ("TABLE", REVISIONS)), ""
        )
        if not self._schema:
            raise DumpError(f"there is no table {REVISIONS}")
        # The owner's name follows the entry's.
        self._entries = [Entry(one["kind"], f"{one['name']} ") for one in entries if one["schema"] in {self._schema, "-"}]

    def revision(self) -> str:
        """Returns the revision of the dumped database.

        Raises:
            DumpError: There is none, or several.
        """
        revisions = [line.strip().decode() for _, lines in self._copies(REVISIONS) for line in lines]
        if len(revisions) != 1:
            raise DumpError(f"revision {', '.join(revisions) or 'none'} is unknown to this release")
        return revisions[0]

    def check(self, expected: Parts) -> None:
        """Checks that the dump has the entries of a database migrated to its revision, and no other code.

        Args:
            expected: The contents of that database.

        Raises:
            DumpError: An entry is missing, or the dump has other triggers or functions.
        """
        for part in sorted(expected.entries, key=lambda part: (part.kind != "TABLE", part)):
            if not any(part.kind == entry.kind and entry.name.startswith(f"{part.name} ") for entry in self._entries):
                raise DumpError(f"there is no {part.kind.lower()} {part.name}")
        for entry in self._entries:
            own = any(part.kind == entry.kind and entry.name.startswith(f"{part.name} ") for part in expected.entries)
            if entry.kind in _RUNNING and not own:
                raise DumpError(
                    f"its triggers are not those of a server: there is a {entry.kind.lower()} {entry.name.split()[0]}"
                )
        script = _plain(self._text("--schema-only", "--file=-"), self._schema)
        for name, text in sorted(expected.texts):
            if text not in script:
                raise DumpError(f"its triggers are not those of a server: {name} is another one")

    def load(self, connection: sa.Connection, table: sa.Table, write: Callable[[str], Any]) -> None:
        """Writes a table's rows into a database.

        Args:
            connection: To the database, in a transaction. The table exists and is empty.
            table: The table.
            write: Starts a COPY statement: a context manager of psycopg, whose ``write`` takes bytes.

        Raises:
            DumpError: The rows have other columns, or the dump has no rows of the table.
        """
        columns = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        has_begun = False
        for named, lines in self._copies(table.name):
            has_begun = True
            if missing := sorted(columns - set(named)):
                raise DumpError(f"there is no column {table.name}.{missing[0]}")
            if more := sorted(set(named) - columns):
                raise DumpError(f"there is a column {table.name}.{more[0]} that this release does not know")
            with write(f"COPY {table.name} ({', '.join(named)}) FROM STDIN") as copy:
                for block in _blocks(lines):
                    copy.write(block)
        if not has_begun:
            raise DumpError(f"there is no table data {table.name}")

    def number(self, sequence: str) -> tuple[int, bool] | None:
        """Returns the value of a sequence, and whether it was used; None if the dump has none."""
        match = _SETVAL.search(self._run("--data-only", f"--schema={self._schema}", f"--table={sequence}", "--file=-"))
        return (int(match["number"]), match["used"] == b"true") if match else None

    def _copies(self, table: str) -> Iterator[tuple[list[str], Iterator[bytes]]]:
        """Yields the columns and the lines of a table's rows."""
        command = [self._program, "--data-only", f"--schema={self._schema}", f"--table={table}", "--file=-", str(self._path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    match = _COPY.fullmatch(line)
                    if match and match["table"].decode() == table:
                        yield _columns(match["columns"]), _until_end(process.stdout)
            finally:
                # The program ends when its output is closed.
                process.stdout.close()
            if process.wait():
                raise DumpError(f"the rows of the table {table} cannot be read: the file is damaged")

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="replace")

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run([self._program, *arguments, str(self._path)], capture_output=True, check=False)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").splitlines() or ["nothing"]
            raise DumpError(lines[0].partition("error: ")[2] or lines[0])
        return done.stdout


def parts(connection: sa.Connection) -> Parts:
    """Returns the contents of a connection's schema."""
    schema = str(connection.scalar(sa.text("SELECT current_schema()")))
    entries = frozenset(Entry(*row) for row in connection.execute(sa.text(_ENTRIES)))
    return Parts(entries, frozenset((name, _plain(text, schema)) for name, text in connection.execute(sa.text(_TEXTS))))


def _plain(text: str, schema: str) -> str:
    """Returns SQL without the schema's name and without line breaks, for comparison."""
    return " ".join(text.replace(f"{schema}.", "").split())


def _columns(text: bytes) -> list[str]:
    return [name.strip().strip('"') for name in text.decode().split(",")]


def _until_end(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == b"\\.\n":
            return
        yield line
    raise DumpError("its rows end in the middle: the file is damaged")


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yields lines in large chunks."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


_ENTRIES: Final = """
WITH own AS (SELECT c.oid, c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace)
SELECT 'TABLE', relname FROM own WHERE relkind = 'r'
UNION SELECT 'TABLE DATA', relname FROM own WHERE relkind = 'r'
UNION SELECT 'SEQUENCE', relname FROM own WHERE relkind = 'S'
UNION SELECT CASE contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE 'CONSTRAINT' END, own.relname || ' ' || conname
  FROM pg_constraint JOIN own ON conrelid = own.oid WHERE contype IN ('p', 'u', 'f')
UNION SELECT 'INDEX', own.relname FROM own JOIN pg_index ON indexrelid = own.oid
  WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = own.oid AND contype IN ('p', 'u'))
UNION SELECT 'TRIGGER', own.relname || ' ' || tgname FROM pg_trigger JOIN own ON tgrelid = own.oid WHERE NOT tgisinternal
UNION SELECT 'FUNCTION', proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
  FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
"""
_TEXTS: Final = """
SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON tgrelid = c.oid
  WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
UNION SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
"""
