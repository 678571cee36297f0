"""The tables of the stand-in for the gcp plugin, compared with the arguments of its Python SDK."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator

import pytest

from planton_sandbox.providers import schema
from planton_sandbox.providers.gcp import cluster_tables, pool_tables

_TYPES = {
    schema.STRING: "str",
    schema.INT: "int",
    schema.FLOAT: "float",
    schema.BOOL: "bool",
    schema.LIST: "Sequence",
    schema.SET: "Sequence",
    schema.MAP: "Mapping",
    schema.OBJECT: "Args",
}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _differences(rows: tuple[schema.Property, ...], module: typing.Any, name: str) -> Iterator[str]:
    arguments = inspect.signature(getattr(module, f"{name}Args").__init__).parameters
    for row in rows:
        argument = arguments.get(_snake(row.name))
        if argument is None:
            if not row.output_only:
                yield f"{name}.{row.name} is no argument"
            continue
        if _TYPES[row.type] not in str(argument.annotation):
            yield f"{name}.{row.name}: {row.type} is not {argument.annotation}"
        if row.required != (argument.default is inspect.Parameter.empty) and not row.autoname:
            yield f"{name}.{row.name}: required is {row.required}"
        if row.fields and not row.output_only:
            singular = row.name if row.type == schema.OBJECT else row.name.removesuffix("s")
            yield from _differences(row.fields, module, f"{name}{singular[0].upper()}{singular[1:]}")


@pytest.mark.parametrize(
    ("table", "name"), [(cluster_tables.CLUSTER, "Cluster"), (pool_tables.NODE_POOL, "NodePool")], ids=["cluster", "pool"]
)
def test_a_table_has_the_sdks_arguments(table: schema.Table, name: str) -> None:
    """Names, types and which of them are required agree, in nested blocks, too."""
    container = pytest.importorskip("pulumi_gcp.container", reason="pulumi-gcp is not installed")
    assert list(_differences(table.properties, container, name)) == []


def test_the_configuration_has_the_sdks_arguments() -> None:
    """Every setting of the provider that the stand-in knows is one of the SDK."""
    gcp = pytest.importorskip("pulumi_gcp", reason="pulumi-gcp is not installed")
    arguments = inspect.signature(gcp.ProviderArgs.__init__).parameters
    assert [row.name for row in cluster_tables.CONFIG if _snake(row.name) not in arguments] == []
