"""DigitalOceanKubernetesNodePool as a Pulumi project: makes a node pool at DigitalOcean from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
