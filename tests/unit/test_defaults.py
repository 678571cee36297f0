"""Defaults: only where nothing is set, and twice is once."""

import pytest
from google.protobuf import descriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2
from org.project_planton.provider.civo.civovpc.v1 import api_pb2 as vpc_pb2
from org.project_planton.shared.options import options_pb2
from planton.schema import defaults, kinds


def test_unset_field() -> None:
    """An unset field gets its default, and the message that was given stays as it is."""
    cluster = api_pb2.CivoKubernetesCluster(spec={"cluster_name": "x"})
    assert defaults.apply(cluster).spec.cluster_type == "k3s"
    assert not cluster.spec.HasField("cluster_type")


@pytest.mark.parametrize("value", ["", "talos"])
def test_set_field(value: str) -> None:
    """A field that is set, to nothing even, keeps its value."""
    cluster = api_pb2.CivoKubernetesCluster(spec={"cluster_type": value})
    assert defaults.apply(cluster).spec.cluster_type == value


def test_unset_part() -> None:
    """A part that is not there is not made for its defaults."""
    assert not defaults.apply(api_pb2.CivoKubernetesCluster()).HasField("spec")


def test_kind_without_defaults() -> None:
    """A message that has nothing to set is returned itself."""
    vpc = vpc_pb2.CivoVpc(spec={"region": "lon1"})
    assert defaults.apply(vpc) is vpc


@given(st.binary(max_size=200), st.sampled_from([kind.name for kind in kinds.all_kinds()]))
@settings(max_examples=300, deadline=None)
def test_idempotent(data: bytes, name: str) -> None:
    """Applying defaults twice is applying them once, for any message of any kind."""
    value = kinds.get(name).message()
    value.MergeFromString(value.SerializeToString())
    try:
        value.ParseFromString(data)
    except Exception:  # noqa: BLE001  # not every text is a message
        value.Clear()
    value.spec.SetInParent()
    once = defaults.apply(value)
    assert defaults.apply(once) == once


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.name)
def test_only_fields_with_presence(kind: kinds.Kind) -> None:
    """A default stands only on a field whose being unset can be told, and is a value of its type."""
    waiting: list[descriptor.Descriptor] = [kind.message.DESCRIPTOR]
    seen = set()
    while waiting:
        described = waiting.pop()
        if described.full_name in seen:
            continue
        seen.add(described.full_name)
        for field in described.fields:
            if field.GetOptions().HasExtension(options_pb2.default):
                assert field.has_presence, field.full_name
        defaults.of(described)
        waiting += [field.message_type for field in described.fields if field.message_type is not None]
