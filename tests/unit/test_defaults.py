"""Defaults: applied to unset fields only, and idempotent."""

import pytest
from google.protobuf import descriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from org.project_planton.provider.civo.civokubernetescluster.v1 import api_pb2
from org.project_planton.provider.civo.civovpc.v1 import api_pb2 as vpc_pb2
from org.project_planton.shared.options import options_pb2
from planton.schema import defaults, kinds
from support import trials


def test_an_unset_field_gets_its_default() -> None:
    """The message of the caller is not changed."""
    cluster = api_pb2.CivoKubernetesCluster(spec={"cluster_name": "x"})
    assert defaults.apply(cluster).spec.cluster_type == "k3s"
    assert not cluster.spec.HasField("cluster_type")


@pytest.mark.parametrize("value", ["", "talos"])
def test_a_set_field_keeps_its_value(value: str) -> None:
    """An empty value is set too."""
    cluster = api_pb2.CivoKubernetesCluster(spec={"cluster_type": value})
    assert defaults.apply(cluster).spec.cluster_type == value


def test_an_absent_message_is_not_created() -> None:
    """Its defaults do not apply."""
    assert not defaults.apply(api_pb2.CivoKubernetesCluster()).HasField("spec")


def test_a_kind_without_defaults_is_returned_unchanged() -> None:
    """The returned object is the same."""
    vpc = vpc_pb2.CivoVpc(spec={"region": "lon1"})
    assert defaults.apply(vpc) is vpc


@given(st.binary(max_size=200), st.sampled_from([kind.name for kind in kinds.all_kinds()]))
@settings(max_examples=trials.of(300), deadline=None)
def test_defaults_are_idempotent(data: bytes, name: str) -> None:
    """This holds for any message of any kind."""
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
def test_only_fields_with_presence_have_defaults(kind: kinds.Kind) -> None:
    """A default on any other field could not be distinguished from a set value. It has the type of the field."""
    pending: list[descriptor.Descriptor] = [kind.message.DESCRIPTOR]
    seen = set()
    while pending:
        message_type = pending.pop()
        if message_type.full_name in seen:
            continue
        seen.add(message_type.full_name)
        for field in message_type.fields:
            if field.GetOptions().HasExtension(options_pb2.default):
                assert field.has_presence, field.full_name
        defaults.of(message_type)
        pending += [field.message_type for field in message_type.fields if field.message_type is not None]
