"""The kinds of Civo, for the provider plugin pulumi-civo 2.4.8, with workarounds for its faults."""
