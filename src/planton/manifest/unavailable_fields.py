"""Fields of other clouds that the kinds here do not have, with the reason or the field to use instead.

This is the only table of such names. The reader adds the reason to its message about an unknown field.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

_PACKAGES: Final = "org.project_planton.provider."
_SPOT: Final = "DigitalOcean and Civo have no spot nodes, and every node runs until it is deleted; to save costs choose a smaller size, or autoScale"
_PRIVATE: Final = (
    "the API server of a DigitalOcean or Civo cluster always has a public address; limit access to it with"
    " controlPlaneFirewallAllowedIps (DigitalOcean) or apiServerAllowedCidrs (Civo)"
)
_ALLOWED: Final = "write controlPlaneFirewallAllowedIps (DigitalOcean) or apiServerAllowedCidrs (Civo) in the cluster's spec"
_ZONES: Final = "the regions of DigitalOcean and Civo have no zones; choose only the region"
_DISK: Final = "the disk comes with the machine size; choose another size (`planton sizes`)"
_GPU: Final = "GPUs come with the machine size; choose a size that has them (`planton sizes`)"
_IMAGE: Final = "DigitalOcean and Civo choose the image of the nodes by kubernetesVersion"
_SSH: Final = "nodes of DigitalOcean and Civo take no SSH key; use `kubectl debug node/NAME`"
_IDENTITY: Final = "nodes of DigitalOcean and Civo have no identity in the cloud; give workloads a token in a Secret"
_SERVERLESS: Final = "DigitalOcean and Civo have no clusters without nodes; use a node pool with autoScale"
_SCRIPT: Final = "nodes of DigitalOcean and Civo run no script of their user; use a DaemonSet"
_CHANNEL: Final = "DigitalOcean and Civo have no release channels; write kubernetesVersion"
_PROTECTION: Final = 'write the annotation project-planton.org/deletion-protection: "true" in metadata'


class Reason(NamedTuple):
    """The reason why a field does not exist.

    Attributes:
        text: The reason for the user.
        instead: The equivalent field here, in proto spelling; empty for none.
    """

    text: str
    instead: str = ""


def _renamed(json_name: str, name: str) -> Reason:
    return Reason(f"write {json_name}", name)


#: Names in lower case without underscores → the reason why the field does not exist.
_REASONS: Final[tuple[tuple[str, Reason], ...]] = (
    (
        (
            "spot spotinstance spotinstances spotnodes enablespot usespot spotprice spotmaxprice capacitytype preemptible"
            " preemptiblenodes interruptible scalesetpriority evictionpolicy"
        ),
        Reason(_SPOT),
    ),
    (
        (
            "privatecluster privateclusterconfig privateclusterenabled enableprivatecluster privatenodes enableprivatenodes"
            " privateendpoint enableprivateendpoint endpointprivateaccess"
        ),
        Reason(_PRIVATE),
    ),
    (
        (
            "masterauthorizednetworks masterauthorizednetworksconfig authorizednetworks authorizedipranges"
            " apiserverauthorizedipranges publicaccesscidrs endpointpublicaccess"
        ),
        Reason(_ALLOWED),
    ),
    ("zone zones availabilityzone availabilityzones nodelocations nodezones", Reason(_ZONES)),
    (
        (
            "disksize disksizegb disktype bootdisk bootdisksizegb bootdisktype volumesize volumetype rootvolumesize osdisksizegb"
            " osdisktype ephemeralstorage localssdcount"
        ),
        Reason(_DISK),
    ),
    ("gpu gpus gpucount accelerator accelerators guestaccelerator guestaccelerators", Reason(_GPU)),
    ("image imageid imagetype ami amiid amitype osimage ossku ostype releaseimage", Reason(_IMAGE)),
    ("sshkey sshkeys sshkeyid sshkeyname sshpublickey keyname keypair ec2sshkey remoteaccess", Reason(_SSH)),
    (
        (
            "iamrole iamroles iaminstanceprofile instanceprofile role rolearn noderole noderolearn serviceaccount identity"
            " managedidentity oauthscopes workloadidentity workloadidentityconfig"
        ),
        Reason(_IDENTITY),
    ),
    ("autopilot enableautopilot fargate fargateprofile fargateprofiles virtualnodes serverless", Reason(_SERVERLESS)),
    ("userdata startupscript bootstrapscript bootstrapcommands prebootstrapcommands cloudinit", Reason(_SCRIPT)),
    ("releasechannel channel channelgroup upgradechannel", Reason(_CHANNEL)),
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
    listed = _BY_NAME.get(name.replace("_", "").lower())
    return listed if listed is not None and (not listed.instead or listed.instead in described.fields_by_name) else None
