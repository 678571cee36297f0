"""DigitalOceanKubernetesCluster as a Pulumi project: makes a managed cluster at DigitalOcean from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
