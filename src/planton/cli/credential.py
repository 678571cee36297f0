"""``planton credential``: the credential plugin for kubectl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton.cli import options, render

if TYPE_CHECKING:
    from planton.clouds import api


@click.command()
@options.named
@click.option("--fresh", is_flag=True, help="Request a new credential, even if the cached one is valid.")
def credential(*, named: options.Named, fresh: bool) -> None:
    """Print a credential for an applied cluster, as kubectl's plugins do.

    The output is an ExecCredential of client.authentication.k8s.io/v1: a secret.
    planton kubeconfig --exec writes a kubeconfig that calls this command.

    Exit codes: 0 printed, 1 not applied, 2 usage, 6 the cloud failed, 8 no
    credentials for the cloud.
    """
    credential_ = planton.credential(named.find(), fresh=fresh, settings=named.settings)
    render.echo_json(exec_credential(credential_))


def exec_credential(credential_: api.Credential) -> dict[str, object]:
    """Returns a credential as kubectl takes it (https://kubernetes.io/docs/reference/access-authn-authz/authentication/)."""
    status = {
        "token": credential_.token,
        "clientCertificateData": credential_.certificate,
        "clientKeyData": credential_.key,
        "expirationTimestamp": credential_.expires,
    }
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {name: value for name, value in status.items() if value},
    }
