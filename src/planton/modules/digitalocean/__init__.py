"""The kinds of DigitalOcean, for the provider plugin pulumi-digitalocean 4.76.0; what that plugin does wrong is worked around here."""
