"""GcpGkeNodePool as a Pulumi project: makes a node pool of a GKE cluster from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
