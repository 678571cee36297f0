"""Resources in answers: secrets are marked, and the plugin's notes are added to the properties."""

from __future__ import annotations

import dataclasses
import json
import typing

from planton_sandbox.providers import detailed, package, planning, rawstate, schema, sessions, values

if typing.TYPE_CHECKING:
    from google.protobuf import struct_pb2

META = "__meta"
"""The key of the plugins' notes in a state."""
_TIMEOUTS = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
_SCHEMA_VERSION = "schema_version"
_NANOSECONDS = 1_000_000_000
_Notes = dict[str, values.Json]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """The format of the answers about one resource in one session.

    Attributes:
        resource: the resource.
        session: the session of the engine.
        newer_bridge: see `package.Package`.
        drops_notes: see `package.Package`.
    """

    resource: package.Resource
    session: sessions.Session
    newer_bridge: bool
    drops_notes: bool

    def planned(self, data: planning.Data, identity: values.Json) -> struct_pb2.Struct:
        """Returns a plan; with the newer bridge, one without changes has no notes."""
        if self.newer_bridge and data.prior is not None and not detailed.difference(data.table, data.prior, data.state).kinds:
            return self._encode(data.state, identity, {})
        return self._encode(data.state, identity, {"_new_extra_shim": data.spellings, **self._timeouts})

    def settled(self, data: planning.Data, planned: planning.State) -> struct_pb2.Struct:
        """Returns the state after an apply."""
        state = planning.settle(self.resource.table, planned=planned, real=data.state)
        version = self.resource.schema_version
        return self._encode(state, data.id, {**self._timeouts, **({_SCHEMA_VERSION: str(version)} if version else {})})

    def read(self, state: planning.State, identity: str, previous_notes: str | None) -> struct_pb2.Struct:
        """Returns the state after a refresh, or after an import if ``previous_notes`` is ``None``."""
        notes: _Notes = (
            {_SCHEMA_VERSION: str(self.resource.schema_version)} if previous_notes is None else json.loads(previous_notes or "{}")
        )
        return self._encode(state, identity, {**self._timeouts, **notes})

    @property
    def _timeouts(self) -> _Notes:
        timeouts = {operation: seconds * _NANOSECONDS for operation, seconds in self.resource.timeouts.items()}
        return {_TIMEOUTS: timeouts} if timeouts else {}

    def _encode(self, state: planning.State, identity: values.Json, notes: _Notes) -> struct_pb2.Struct:
        rows: tuple[schema.Property, ...] = self.resource.table.properties
        shown = {**state, "id": identity}
        if self.newer_bridge and values.is_known(shown):
            shown[rawstate.KEY] = rawstate.delta(rows, state)
        if self.session.accepts_secrets:
            shown |= _secrets(rows, state)
        if notes:
            shown[META] = json.dumps(notes, separators=(",", ":"), sort_keys=True)
        return values.encode(shown)


def _secrets(rows: tuple[schema.Property, ...], state: planning.State) -> planning.State:
    """Returns the values that are secret, or contain secrets, with their marks."""
    marked: planning.State = {}
    for row in rows:
        value = state.get(row.name)
        if row.secret:
            marked[row.name] = values.Secret(value)
        elif row.type == schema.OBJECT and isinstance(value, dict) and any(field.secret for field in row.fields):
            marked[row.name] = {**value, **_secrets(row.fields, value)}
    return marked
