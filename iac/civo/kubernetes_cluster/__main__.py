"""CivoKubernetesCluster as a Pulumi project: makes a managed Kubernetes cluster at Civo from a stack input (docs/extend/standalone.md)."""

from planton import modules

modules.main()
