"""The simulated Civo API."""
