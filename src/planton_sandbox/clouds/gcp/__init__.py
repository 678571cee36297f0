"""The simulated Google Cloud: GKE, and what GKE's clients read from Compute Engine."""
