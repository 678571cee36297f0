"""The Kubernetes APIs of simulated clusters."""
