"""CivoKubernetesNodePool as a Pulumi project: makes a node pool of a Kubernetes cluster at Civo from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
