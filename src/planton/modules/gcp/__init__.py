"""The kinds of Google Cloud, for the provider plugin pulumi-gcp 10.2.0, with workarounds for its faults."""
