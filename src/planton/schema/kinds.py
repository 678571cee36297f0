"""Kind ↔ message class ↔ module, found by naming convention: there is no registry to keep.

A kind ``CivoVpc`` is the message ``CivoVpc`` of ``org.project_planton.provider.civo.civovpc.v1``, and its module is
``planton.modules.civo.vpc``. This module imports the stubs of a kind only when the kind is asked for.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.util
import re
from typing import TYPE_CHECKING, Any

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import descriptor
    from google.protobuf import message as protobuf_message

#: Cloud ↔ prefix of its kinds, API group. The clouds are few and fixed; their kinds are found.
PROVIDERS = {
    "civo": ("Civo", "civo.project-planton.org"),
    "digitalocean": ("DigitalOcean", "digital-ocean.project-planton.org"),
}
_STUBS = "org.project_planton.provider"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A resource kind.

    Attributes:
        name: As in manifests, e.g. ``CivoKubernetesCluster``.
        provider: The cloud, ``civo`` or ``digitalocean``.
    """

    name: str
    provider: str

    @property
    def api_version(self) -> str:
        """The manifest's ``apiVersion``, e.g. ``civo.project-planton.org/v1``."""
        return f"{PROVIDERS[self.provider][1]}/v1"

    @property
    def package(self) -> str:
        """The Python package of the kind's stubs."""
        return f"{_STUBS}.{self.provider}.{self.name.lower()}.v1"

    @property
    def stem(self) -> str:
        """The kind's name without its provider, in snake case, e.g. ``kubernetes_cluster``."""
        bare = self.name.removeprefix(PROVIDERS[self.provider][0])
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()

    @property
    def message(self) -> type[protobuf_message.Message]:
        """The message class of the manifest."""
        return _message(self.package, "api_pb2", self.name)

    @property
    def stack_input(self) -> type[protobuf_message.Message]:
        """The message class of what the module is given."""
        return _message(self.package, "stack_input_pb2", f"{self.name}StackInput")

    @property
    def stack_outputs(self) -> type[protobuf_message.Message]:
        """The message class of what an apply yields."""
        return _message(self.package, "stack_outputs_pb2", f"{self.name}StackOutputs")

    @property
    def provider_config(self) -> type[protobuf_message.Message]:
        """The message class of the provider's credentials and defaults."""
        return _message(f"{_STUBS}.{self.provider}", "provider_pb2", f"{PROVIDERS[self.provider][0]}ProviderConfig")

    @property
    def module(self) -> str:
        """The import name of the kind's module, e.g. ``planton.modules.civo.kubernetes_cluster``."""
        return f"planton.modules.{self.provider}.{self.stem}"


@functools.cache
def _message(package: str, module: str, name: str) -> type[protobuf_message.Message]:
    stub: type[protobuf_message.Message] = getattr(importlib.import_module(f"{package}.{module}"), name)
    return stub


@functools.cache
def find(name: str) -> Kind | None:
    """Returns the kind with exactly this name, or None."""
    for provider, (prefix, _) in PROVIDERS.items():
        kind = Kind(name, provider)
        if name.startswith(prefix) and name.isalnum() and name.isascii() and _has_stubs(kind):
            return kind if kind.message.DESCRIPTOR.name == name else None
    return None


def _has_stubs(kind: Kind) -> bool:
    # find_spec imports parents; a kind that does not exist has no parent package, which it reports as an error. A kind in
    # other letter case finds the stubs, but has no message of that name.
    try:
        if importlib.util.find_spec(f"{kind.package}.api_pb2") is None:
            return False
    except ModuleNotFoundError:
        return False
    return hasattr(importlib.import_module(f"{kind.package}.api_pb2"), kind.name)


@functools.cache
def all_kinds() -> tuple[Kind, ...]:
    """Returns every kind that has stubs, by name."""
    import pathlib  # costs more than finding one kind, which does without

    found = []
    for provider in PROVIDERS:
        parent = importlib.import_module(f"{_STUBS}.{provider}")
        for stub in (path for folder in parent.__path__ for path in pathlib.Path(folder).glob("*/v1/api_pb2.py")):
            api = importlib.import_module(f"{parent.__name__}.{stub.parts[-3]}.v1.api_pb2")
            found += [Kind(name, provider) for name in _manifest_names(api.DESCRIPTOR)]
    return tuple(sorted(found, key=lambda kind: kind.name))


def _manifest_names(file: descriptor.FileDescriptor) -> list[str]:
    return [name for name, described in file.message_types_by_name.items() if "api_version" in described.fields_by_name]


def regions(provider: str) -> frozenset[str]:
    """Returns the names of the regions that manifests of a provider can use."""
    config = next(kind.provider_config for kind in all_kinds() if kind.provider == provider)
    described: Any = config.DESCRIPTOR.fields_by_name["default_region"].enum_type
    return frozenset(value.name for value in described.values if value.number)


def get(name: str) -> Kind:
    """Returns the kind with exactly this name.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    kind = find(name)
    if kind is None:
        raise errors.PlantonError(
            f"unknown kind {name!r}",
            code=errors.Code.INVALID,
            reason=errors.Reason.KIND_UNKNOWN,
            hint=suggest(name, [known.name for known in all_kinds()]),
            metadata={"kind": name},
        )
    return kind


def parse(text: str) -> Kind:
    """Returns the kind that a command-line word means: singular or plural, in any case.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    word = text.lower()
    for kind in all_kinds():
        if word in (kind.name.lower(), f"{kind.name.lower()}s"):
            return kind
    return get(text)


def nearest(word: str, names: Sequence[str]) -> str:
    """Returns the name that is closest to a word, ignoring case; empty if none is close."""
    import difflib  # only errors need it

    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def suggest(word: str, names: Sequence[str]) -> str:
    """Returns ``did you mean 'X'?`` for the name that is closest to a word; empty if none is close."""
    name = nearest(word, names)
    return f"did you mean {name!r}?" if name else ""
