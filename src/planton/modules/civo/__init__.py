"""The kinds of Civo, for the provider plugin pulumi-civo 2.4.8; what that plugin does wrong is worked around here."""
