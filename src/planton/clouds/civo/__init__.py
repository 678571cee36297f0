"""Civo: the declaration of the cloud. Its API client is in `client`, and `views` compares its answers with states."""

from __future__ import annotations

from planton.clouds.civo import prices
from planton.schema import providers

PROVIDER = providers.Provider(
    name="civo",
    prefix="Civo",
    api_group="civo.project-planton.org",
    credentials=(
        providers.CredentialField(name="api_token", label="token", variables=("CIVO_TOKEN",)),
        providers.CredentialField(name="object_store_secret_key", label="object store key", variables=(), is_required=False),
    ),
    region_variables=("CIVO_REGION",),
    endpoint_variable="CIVO_API_URL",
    plugin=providers.Plugin(name="civo", version="2.4.8"),
    packages=("pulumi", "pulumi_civo", "semver"),
    distributions=("pulumi", "pulumi-civo"),
    client="planton.clouds.civo.client:of",
    views="planton.clouds.civo.views",
    autoscaler="planton.modules.civo.cluster_autoscaler",
    token_variable="PLANTON_CIVO_TOKEN",  # noqa: S106  # the name of a variable
    networks=providers.Networks(are_regional=True, overlap="machines in the one cannot be connected with machines in the other"),
    leftovers=("volume", "load balancer", "reserved address"),
    # Civo documents that volumes stay and are billed. It does not document what happens to load balancers.
    uncertain_leftovers=("load balancer",),
    # The plugin calls the API before the first resource, and reports a failure as an error of that resource.
    setup_errors=("AuthenticationError", "connecting to Civo"),
    # The token is an argument, so that a run can use several accounts.
    silenced_warnings=('The "token" attribute is deprecated',),
    empty_pool_advice="Civo has no empty pools; delete the pool instead",
    lacks=frozenset(
        {
            "spot nodes",
            "private API servers",
            "zones",
            "images",
            "SSH keys",
            "node identities",
            "serverless",
            "scripts",
            "channels",
        }
    ),
    api_access_field="apiServerAllowedCidrs",
    is_default=True,
    prices=prices.PRICES,
    sample_region="lon1",
    sample_version="1.30.5-k3s1",
)
