"""Kinds: lookup by naming convention, and suggestions for unknown ones."""

from __future__ import annotations

import pytest

from planton import errors
from planton.schema import kinds

ALL = [
    "CivoFirewall",
    "CivoKubernetesCluster",
    "CivoKubernetesNodePool",
    "CivoVpc",
    "DigitalOceanKubernetesCluster",
    "DigitalOceanKubernetesNodePool",
    "DigitalOceanVpc",
    "GcpGkeCluster",
    "GcpGkeNodePool",
]


def test_every_kind_of_the_schema_is_found() -> None:
    """They are listed by name, without any other message."""
    assert [kind.name for kind in kinds.all_kinds()] == ALL


@pytest.mark.parametrize(
    ("name", "api_version", "stem", "module"),
    [
        ("CivoVpc", "civo.project-planton.org/v1", "vpc", "planton.modules.civo.vpc"),
        (
            "CivoKubernetesNodePool",
            "civo.project-planton.org/v1",
            "kubernetes_node_pool",
            "planton.modules.civo.kubernetes_node_pool",
        ),
        (
            "DigitalOceanKubernetesCluster",
            "digital-ocean.project-planton.org/v1",
            "kubernetes_cluster",
            "planton.modules.digitalocean.kubernetes_cluster",
        ),
    ],
)
def test_all_names_follow_from_the_kinds_name(name: str, api_version: str, stem: str, module: str) -> None:
    """API version, stem and module need no table."""
    kind = kinds.get(name)
    assert (kind.api_version, kind.stem, kind.module) == (api_version, stem, module)


@pytest.mark.parametrize("name", ALL)
def test_a_kind_has_the_messages_of_the_convention(name: str) -> None:
    """The messages are manifest, stack input, outputs and provider config."""
    kind = kinds.get(name)
    assert kind.message.DESCRIPTOR.name == name
    assert kind.stack_input.DESCRIPTOR.fields_by_name["target"].message_type is kind.message.DESCRIPTOR
    assert kind.stack_input.DESCRIPTOR.fields_by_name["provider_config"].message_type is kind.provider_config.DESCRIPTOR
    status = kind.message.DESCRIPTOR.fields_by_name["status"].message_type
    assert status.fields_by_name["outputs"].message_type is kind.stack_outputs.DESCRIPTOR


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CivoVPC", "did you mean 'CivoVpc'?"),
        ("civokubernetescluster", "did you mean 'CivoKubernetesCluster'?"),
        ("CivoKubernetesNodepol", "did you mean 'CivoKubernetesNodePool'?"),
        ("Civo", "did you mean 'CivoVpc'?"),
        ("", ""),
        ("../civo", ""),
        ("CivoVpc.v1", "did you mean 'CivoVpc'?"),
        ("Gateway", ""),
    ],
)
def test_a_kind_is_matched_exactly_and_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    """Manifests need the exact spelling. The hint contains it."""
    assert kinds.find(name) is None
    with pytest.raises(errors.PlantonError) as caught:
        kinds.get(name)
    assert (caught.value.reason, caught.value.hint) == (errors.Reason.KIND_UNKNOWN, hint)
    assert caught.value.metadata == {"kind": name}


@pytest.mark.parametrize(
    "word", ["civokubernetesclusters", "CivoKubernetesCluster", "CIVOKUBERNETESCLUSTER", "civoKubernetesClusters"]
)
def test_a_word_of_the_command_line_may_be_plural_and_in_any_case(word: str) -> None:
    """Users type kinds in many ways."""
    assert kinds.parse(word).name == "CivoKubernetesCluster"


def test_an_unknown_word_of_the_command_line_is_an_error_with_a_suggestion() -> None:
    """The hint contains the nearest kind."""
    with pytest.raises(errors.PlantonError, match="unknown kind 'civovpx'") as caught:
        kinds.parse("civovpx")
    assert caught.value.hint == "did you mean 'CivoVpc'?"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("clustr", "cluster"),
        ("clutsers", "clusters"),
        ("pols", "pools"),
        ("fierwalls", "firewalls"),
        ("CivoKubernetesCluser", "CivoKubernetesCluster"),
    ],
)
def test_a_misspelt_kind_of_the_command_line_suggests_what_the_user_may_write(text: str, name: str) -> None:
    """Short names too, in singular and plural."""
    for find in (kinds.match, kinds.parse):
        with pytest.raises(errors.PlantonError) as caught:
            find(text)
        assert caught.value.hint == f"did you mean {name!r}?"


def test_a_short_name_of_several_kinds_is_no_kind_where_one_is_needed() -> None:
    """The error lists them. A short name of one kind is enough."""
    with pytest.raises(errors.PlantonError, match="'pools' means several kinds") as caught:
        kinds.parse("pools")
    assert "CivoKubernetesNodePool, DigitalOceanKubernetesNodePool" in caught.value.hint
    assert kinds.parse("firewall").name == "CivoFirewall"


def test_a_kind_needs_no_name_of_its_cloud() -> None:
    """In singular or plural. Several clouds may have such a kind."""
    assert [kind.name for kind in kinds.match("VPCs")] == ["CivoVpc", "DigitalOceanVpc"]
    assert [kind.name for kind in kinds.match("gkecluster")] == ["GcpGkeCluster"]


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("clusters", ["CivoKubernetesCluster", "DigitalOceanKubernetesCluster"]),
        ("Pool", ["CivoKubernetesNodePool", "DigitalOceanKubernetesNodePool"]),
        ("networks", ["CivoVpc", "DigitalOceanVpc"]),
        ("firewalls", ["CivoFirewall"]),
        ("civovpcs", ["CivoVpc"]),
    ],
)
def test_a_short_name_means_the_kinds_of_all_clouds(word: str, names: list[str]) -> None:
    """Singular or plural, in any case; a full name means one kind."""
    matches = kinds.match(word)
    assert set(names) <= {kind.name for kind in matches}
    assert len({kind.declared.role for kind in matches}) == 1


def test_short_names_are_listed_in_the_plural() -> None:
    """Completion and help offer them."""
    assert kinds.short_names() == ("clusters", "firewalls", "networks", "pools")


@pytest.mark.parametrize(
    ("type_", "inputs", "cluster_id"),
    [
        ("civo:index/kubernetesNodePool:KubernetesNodePool", {"clusterId": "c-1"}, "c-1"),
        ("civo:index/kubernetesNodePool:KubernetesNodePool", {"clusterId": None}, ""),
        (
            "gcp:container/nodePool:NodePool",
            {"project": "p", "location": "europe-west1", "cluster": "dev"},
            "projects/p/locations/europe-west1/clusters/dev",
        ),
        ("gcp:container/nodePool:NodePool", {"project": "p", "cluster": "dev"}, ""),
        ("gcp:container/cluster:Cluster", {"project": "p", "name": "dev"}, ""),
    ],
)
def test_the_cluster_of_a_pool_is_in_its_state(type_: str, inputs: dict[str, str | None], cluster_id: str) -> None:
    """Where the plugin records its name, project and location complete it."""
    assert kinds.cluster_of({"type": type_, "inputs": inputs}) == cluster_id
