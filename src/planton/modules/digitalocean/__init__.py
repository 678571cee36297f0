"""The kinds of DigitalOcean, for the provider plugin pulumi-digitalocean 4.76.0, with workarounds for its faults."""
