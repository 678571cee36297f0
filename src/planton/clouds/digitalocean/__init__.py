"""DigitalOcean: the declaration of the cloud. Its API client is in `client`, and `views` compares its answers with states."""

from __future__ import annotations

from planton.schema import providers

PROVIDER = providers.Provider(
    name="digitalocean",
    prefix="DigitalOcean",
    api_group="digital-ocean.project-planton.org",
    credentials=(
        providers.CredentialField(name="api_token", label="token", variables=("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")),
        providers.CredentialField(name="spaces_secret_key", label="Spaces key", variables=(), is_required=False),
    ),
    region_variables=("DIGITALOCEAN_REGION",),
    endpoint_variable="DIGITALOCEAN_API_URL",
    plugin=providers.Plugin(name="digitalocean", version="4.76.0"),
    packages=("pulumi", "pulumi_digitalocean", "semver"),
    distributions=("pulumi", "pulumi-digitalocean"),
    client="planton.clouds.digitalocean.client:of",
    views="planton.clouds.digitalocean.views",
    credentials_expire=True,
    networks=providers.Networks(refuses_overlaps=True, overlap="DigitalOcean refuses networks of one account that overlap"),
    requires_newest_patch=True,
    leftovers=("volume", "volume snapshot", "load balancer"),
    empty_pool_advice="for a pool that may be empty write autoScale: true, minNodes: 0, maxNodes, and nodeCount: 1 to start with",
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
    api_access_field="controlPlaneFirewallAllowedIps",
    # The list of sizes has the prices.
    prices=providers.Prices(source="https://www.digitalocean.com/pricing/droplets"),
    # https://docs.digitalocean.com/reference/pydo/reference/kubernetes/delete_node_pool/
    drains_deleted_pools=True,
    sample_region="fra1",
    sample_version="1.35.1-do.0",
)
