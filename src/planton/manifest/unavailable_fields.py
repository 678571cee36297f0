"""Fields of other clouds that the kinds here do not have, with the reason or the field to use instead.

This is the only table of such names. A cloud declares which features it lacks. The reader adds the reason to its message about an unknown field.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from planton.schema import providers

_PACKAGES: Final = "org.project_planton.provider."
_DISK: Final = "the disk comes with the machine size; choose another size (`planton sizes`)"
_GPU: Final = "GPUs come with the machine size; choose a size that has them (`planton sizes`)"
#: Feature → the reason of a cloud that lacks it; ``{cloud}`` is its name, and ``{field}`` the field that limits API access.
_LACKING: Final = {
    "spot nodes": "{cloud} has no spot nodes, and every node runs until it is deleted; to save costs choose a smaller size, or"
    " autoScale",
    "private API servers": "the API server of a {cloud} cluster always has a public address; limit access to it with {field}",
    "zones": "the regions of {cloud} have no zones; choose only the region",
    "images": "{cloud} chooses the image of the nodes by kubernetesVersion",
    "SSH keys": "nodes of {cloud} take no SSH key; use `kubectl debug node/NAME`",
    "node identities": "nodes of {cloud} have no identity in the cloud; give workloads a token in a Secret",
    "serverless": "{cloud} has no clusters without nodes; use a node pool with autoScale",
    "scripts": "nodes of {cloud} run no script of their user; use a DaemonSet",
    "channels": "{cloud} has no release channels; write kubernetesVersion",
}
_ALLOWED: Final = "write {field} in the cluster's spec"
_PROTECTION: Final = 'write the annotation project-planton.org/deletion-protection: "true" in metadata'


class Reason(NamedTuple):
    """The reason why a field does not exist.

    Attributes:
        text: The reason for the user.
        instead: The equivalent field here, in proto spelling; empty for none.
        feature: The feature that the cloud must lack for this reason; empty if it holds for every cloud.
    """

    text: str
    instead: str = ""
    feature: str = ""


def _lacking(feature: str) -> Reason:
    return Reason(_LACKING[feature], feature=feature)


def _renamed(json_name: str, name: str) -> Reason:
    return Reason(f"write {json_name}", name)


#: Names in lower case without underscores → the reason why the field does not exist.
_REASONS: Final[tuple[tuple[str, Reason], ...]] = (
    (
        (
            "spot spotinstance spotinstances spotnodes enablespot usespot spotprice spotmaxprice capacitytype preemptible"
            " preemptiblenodes interruptible scalesetpriority evictionpolicy"
        ),
        _lacking("spot nodes"),
    ),
    (
        (
            "privatecluster privateclusterconfig privateclusterenabled enableprivatecluster privatenodes enableprivatenodes"
            " privateendpoint enableprivateendpoint endpointprivateaccess"
        ),
        _lacking("private API servers"),
    ),
    (
        (
            "masterauthorizednetworks masterauthorizednetworksconfig authorizednetworks authorizedipranges"
            " apiserverauthorizedipranges publicaccesscidrs endpointpublicaccess"
        ),
        Reason(_ALLOWED),
    ),
    ("zone zones availabilityzone availabilityzones nodelocations nodezones", _lacking("zones")),
    (
        (
            "disksize disksizegb disktype bootdisk bootdisksizegb bootdisktype volumesize volumetype rootvolumesize osdisksizegb"
            " osdisktype ephemeralstorage localssdcount"
        ),
        Reason(_DISK),
    ),
    ("gpu gpus gpucount accelerator accelerators guestaccelerator guestaccelerators", Reason(_GPU)),
    ("image imageid imagetype ami amiid amitype osimage ossku ostype releaseimage", _lacking("images")),
    ("sshkey sshkeys sshkeyid sshkeyname sshpublickey keyname keypair ec2sshkey remoteaccess", _lacking("SSH keys")),
    (
        (
            "iamrole iamroles iaminstanceprofile instanceprofile role rolearn noderole noderolearn serviceaccount identity"
            " managedidentity oauthscopes workloadidentity workloadidentityconfig"
        ),
        _lacking("node identities"),
    ),
    ("autopilot enableautopilot fargate fargateprofile fargateprofiles virtualnodes serverless", _lacking("serverless")),
    ("userdata startupscript bootstrapscript bootstrapcommands prebootstrapcommands cloudinit", _lacking("scripts")),
    ("releasechannel channel channelgroup upgradechannel", _lacking("channels")),
    ("deletionprotection deleteprotection terminationprotection enabledeletionprotection", Reason(_PROTECTION)),
    ("machinetype machinesize instancetype instancetypes instancesize vmsize nodesize nodetype flavor", _renamed("size", "size")),
    (
        "count nodes replicas desiredsize desiredcapacity desirednodes initialnodecount numnodes",
        _renamed("nodeCount", "node_count"),
    ),
    ("minsize mincount minnodecount", _renamed("minNodes", "min_nodes")),
    ("maxsize maxcount maxnodecount", _renamed("maxNodes", "max_nodes")),
    ("autoscaling enableautoscaling autoscalingenabled", _renamed("autoScale, minNodes and maxNodes", "auto_scale")),
    ("version k8sversion masterversion minmasterversion", _renamed("kubernetesVersion", "kubernetes_version")),
    ("nodelabels", _renamed("labels", "labels")),
    ("nodetaints", _renamed("taints", "taints")),
    ("ha highavailability", _renamed("highlyAvailable", "highly_available")),
)
_BY_NAME: Final = {name: reason for names, reason in _REASONS for name in names.split()}


def reason(described: Any, name: str) -> Reason | None:  # a message's descriptor
    """Returns the reason why a message of a cloud's kind has no field of a name; None for an unlisted name."""
    if not described.full_name.startswith(_PACKAGES):
        return None
    provider = providers.all_providers().get(described.full_name.removeprefix(_PACKAGES).partition(".")[0])
    listed = _BY_NAME.get(name.replace("_", "").lower())
    if (
        name in described.fields_by_name
        or provider is None
        or listed is None
        or (listed.feature and listed.feature not in provider.lacks)
    ):
        return None
    if listed.instead and listed.instead not in described.fields_by_name:
        return None
    return listed._replace(text=listed.text.format(cloud=provider.spoken, field=provider.api_access_field))
