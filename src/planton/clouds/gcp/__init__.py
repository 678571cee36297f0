"""Google Cloud: the declaration of the cloud. Its API client is in `client`, and `views` compares its answers with states."""

from __future__ import annotations

from planton.schema import providers

PROVIDER = providers.Provider(
    name="gcp",
    prefix="Gcp",
    title="Google Cloud",
    api_group="gcp.project-planton.org",
    credentials=(
        providers.CredentialField(
            name="service_account_key_base64",
            label="service-account key",
            variables=("GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"),
            is_alternative=True,
        ),
        providers.CredentialField(
            name="access_token", label="access token", variables=("GOOGLE_OAUTH_ACCESS_TOKEN",), is_alternative=True
        ),
    ),
    find_credential="planton.clouds.gcp.credentials:find",
    is_sandbox_secret="planton.clouds.gcp.credentials:is_of_this_machine",  # noqa: S106  # the name of a function
    settings=(
        providers.Setting(
            name="default_project",
            variables=("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
        ),
    ),
    region_variables=("GOOGLE_REGION", "CLOUDSDK_COMPUTE_REGION"),
    endpoint_variable="GOOGLE_API_URL",
    plugin=providers.Plugin(name="gcp", version="10.2.0"),
    packages=("pulumi", "pulumi_gcp", "google.auth"),
    distributions=("pulumi", "pulumi-gcp", "google-auth"),
    client="planton.clouds.gcp.client:of",
    views="planton.clouds.gcp.views",
    credentials_expire=True,
    credentials_open_account=True,
    completes_versions=True,
    keeps_last_pool=False,
    shortages={
        # First the quota: Google also speaks of "resources" there.
        "QUOTA_EXCEEDED|Insufficient (?:regional|project) quota|Quota exceeded": "quota",
        "IP_SPACE_EXHAUSTED|IP space .*exhausted": "quota",
        "STOCKOUT|ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources available": "capacity",
    },
    unlisted_leftovers=("disks", "load balancers", "reserved addresses"),
    empty_pool_advice="for a pool that may be empty write autoscaling with totalMinNodes: 0",
    api_access_field="masterAuthorizedNetworks",
    # A dated extract of Google's own catalogue, for `planton.clouds.gcp.prices`.
    prices=providers.Prices(
        source="https://github.com/Cyclenerd/google-cloud-pricing-cost-calculator/blob/fd66b26ff84fee5cdd94f341ea89206e76c06b99/pricing.yml",
        read="2026-07-30",
    ),
    # ``europe-west1-b`` is a zone of ``europe-west1``, and ``us-central1-ai1a`` one of ``us-central1``.
    zone=r"([a-z]+-[a-z]+\d+)-(?:[a-z]|ai\d+[a-z])",
    sample_region="europe-west1",
    sample_version="1.33",
)
