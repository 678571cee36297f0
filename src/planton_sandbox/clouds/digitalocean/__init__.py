"""The simulated DigitalOcean API."""
