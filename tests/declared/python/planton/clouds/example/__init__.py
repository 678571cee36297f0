"""Example: the declaration of a cloud that exists only in tests. Its credential is a key pair."""

from __future__ import annotations

from planton.schema import providers

PROVIDER = providers.Provider(
    name="example",
    prefix="Example",
    api_group="example.project-planton.org",
    credentials=(
        providers.CredentialField(name="access_key_id", label="key id", variables=("EXAMPLE_KEY_ID",), is_secret=False),
        providers.CredentialField(name="secret_key", label="secret key", variables=("EXAMPLE_SECRET_KEY",)),
    ),
    plugin=providers.Plugin(name="example", version="1.0.0"),
    packages=("pulumi",),
    client="planton.clouds.example.client:of",
)
