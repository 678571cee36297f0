"""GcpGkeCluster as a Pulumi project: makes a Kubernetes cluster at Google Cloud from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
