"""Example bodies of the OpenAPI document and the page at ``/docs``: those of the user guide, and one per cloud. All of them are valid."""

from __future__ import annotations

from typing import Any, Final

_CLUSTER_ID: Final = "550e8400-e29b-41d4-a716-446655440000"
_GCP: Final = {"machineType": "n1-standard-4", "diskSize": 100, "diskType": "pd-ssd", "zones": ["us-central1-a", "us-central1-b"]}


def _pool(name: str, platform: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"name": name, "cluster_id": _CLUSTER_ID, "spec": {"platform": platform, **spec}}


#: Name of a message → name of an example → its JSON.
BODIES: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "NewCluster": {
        "gcp": {
            "name": "production",
            "spec": {
                "platform": {"type": "gcp", "gcp": {"projectID": "my-project", "region": "us-central1"}},
                "release": {"version": "1.33", "channelGroup": "stable"},
                "networking": {
                    "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}],
                    "serviceNetwork": ["172.30.0.0/16"],
                },
                "lifecycle": {"deletionProtection": True},
            },
        },
        "civo": {
            "name": "development",
            "spec": {
                "platform": {
                    "type": "civo",
                    "civo": {"region": "LON1", "cni": "cilium", "defaultPool": {"size": "g4s.kube.medium", "nodeCount": 3}},
                }
            },
        },
    },
    "ClusterUpdate": {
        "version": {
            "spec": {
                "platform": {"type": "gcp", "gcp": {"projectID": "my-project", "region": "us-central1"}},
                "release": {"version": "1.34", "channelGroup": "stable"},
            }
        }
    },
    "NewNodePool": {
        "gcp": _pool(
            "production-workers",
            {"type": "gcp", "gcp": _GCP},
            autoscaling={"enabled": True, "minNodes": 2, "maxNodes": 10},
            nodeCount=3,
        ),
        "gpu": _pool(
            "gpu-workers",
            {
                "type": "gcp",
                "gcp": {
                    **_GCP,
                    "preemptible": True,
                    "accelerators": [{"type": "nvidia-tesla-v100", "count": 1}],
                    "labels": {"environment": "production", "team": "platform"},
                    "taints": [{"key": "workload-type", "value": "gpu", "effect": "NoSchedule"}],
                },
            },
            nodeCount=1,
        ),
        "aws": _pool(
            "workers",
            {
                "type": "aws",
                "aws": {
                    "instanceType": "m5.xlarge",
                    "volumeSize": 100,
                    "volumeType": "gp3",
                    "availabilityZones": ["us-west-2a", "us-west-2b"],
                    "userData": "#!/bin/bash\necho 'Custom initialization'",
                },
            },
            nodeCount=3,
        ),
        "azure": _pool(
            "workers",
            {
                "type": "azure",
                "azure": {
                    "vmSize": "Standard_D4s_v3",
                    "osDiskSizeGB": 100,
                    "osDiskType": "Premium_LRS",
                    "availabilityZones": ["1", "2"],
                },
            },
            nodeCount=3,
        ),
        "civo": _pool("workers", {"type": "civo", "civo": {"size": "g4s.kube.medium"}}, nodeCount=3),
        "digitalocean": _pool(
            "workers", {"type": "digitalocean", "digitalocean": {"size": "s-2vcpu-4gb", "tags": ["web"]}}, nodeCount=3
        ),
    },
    "NodePoolUpdate": {
        "scale": {
            "name": "production-workers",
            "spec": {"platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-4", "diskSize": 100}}, "nodeCount": 6},
        }
    },
    "CredentialValue": {"civo": {"fields": [{"name": "api_token", "value": "the token"}]}},
    "AuditRecord": {
        "scale": {
            "controller_name": "planton-civo",
            "process": "worker-1-7f3a9c",
            "generation": 2,
            "action": "scale",
            "cause": "Autoscaling",
            "reason": "from 2 to 3 nodes: the CPU utilization is 85 %, above 70 %",
            "outcome": "Started",
            "changes": [{"resource": "node_pool", "action": "update", "field": "nodeCount", "before": "2", "after": "3"}],
        }
    },
    "StatusReport": {
        "ready": {
            "controller_name": "gcp-nodepool-controller",
            "observed_generation": 1,
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "lastTransitionTime": "2025-10-17T10:30:00Z",
                    "reason": "NodesReady",
                    "message": "All nodes are ready and healthy",
                }
            ],
            "metadata": {"platform": "gcp", "region": "us-central1", "active_nodes": 5, "desired_nodes": 5},
        },
        "failed": {
            "controller_name": "gcp-nodepool-controller",
            "observed_generation": 1,
            "conditions": [{"type": "Available", "status": "False", "reason": "QuotaExceeded", "message": "no quota left"}],
            "last_error": {
                "error_type": "Configuration",
                "error_code": "QUOTA_EXCEEDED",
                "message": "CPUs in us-central1: 24 of 24 are used",
                "user_actionable": True,
                "details": {"quota": "CPUS", "limit": 24},
            },
        },
    },
    "Claim": {
        "wait": {
            "process": "worker-1-7f3a9c",
            "version": "1.0.0",
            "platforms": ["civo", "digitalocean"],
            "limit": 10,
            "wait": "20s",
        },
    },
    "Heartbeat": {"beat": {"process": "worker-1-7f3a9c", "version": "1.0.0"}},
    "Finish": {
        "succeeded": {
            "process": "worker-1-7f3a9c",
            "results": [{"id": _CLUSTER_ID, "epoch": 1, "generation": 1, "outcome": "SUCCEEDED", "next_look": "60s"}],
        },
        "failed": {
            "process": "worker-1-7f3a9c",
            "results": [
                {
                    "id": _CLUSTER_ID,
                    "epoch": 1,
                    "generation": 1,
                    "outcome": "FAILED",
                    "error": {"code": "QUOTA_EXCEEDED", "message": "CPUs in LON1: 24 of 24 are used"},
                }
            ],
        },
    },
}
