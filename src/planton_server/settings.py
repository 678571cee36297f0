"""The settings of a server, as one value that is passed to the worker processes."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from typing import Any, Final

from planton_server import auth
from planton_server.service import contexts
from planton_server.store import work

#: The environment variable that passes the settings to worker processes. Other users of the machine cannot read it.
VARIABLE: Final = "PLANTON_SERVER_SETTINGS"
#: Seconds until the next look at a resource, if neither the controller nor the resync interval says.
_LOOK: Final = 3600.0
#: The shortest plausible prefix of a proxy's network. A shorter one covers at least a sixteenth of all addresses.
_WIDE: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """A server's settings; docs/operate/server.md lists them.

    Attributes:
        database_url: ``sqlite:///PATH`` or ``postgresql://…``; may contain a password.
        host: The address to listen on.
        port: The port of REST.
        grpc_port: The port of gRPC; 0 for none.
        workers: The number of worker processes.
        connections: Database connections of each worker.
        trusted_header: Whether ``X-User-Email`` names the user.
        trusted_proxies: The networks from which it is trusted, in addition to loopback.
        jwks_url: The URL of the keys of signed tokens.
        issuer: The issuer of signed tokens.
        audience: The audience of signed tokens.
        unverified_email: Whether to accept the email of a signed token without the claim ``email_verified``.
        rate: Requests per second for each caller and worker; 0 for no limit.
        burst: Concurrent requests for each caller and worker.
        expected: ``KIND/PLATFORM=CONTROLLER``: the controllers that must report.
        deadline: Seconds after which a resource that is not ready has failed.
        resync: Seconds between two resyncs of the desired state.
        credential_keys: The file of the keys that encrypt credentials; empty for none.
        retention: Seconds until events are deleted.
        audit_retention: Seconds until the audit of controllers is deleted.
        tick: Seconds between two checks of deadlines and resyncs; 0 for none.
        work_running: Works that an account of a cloud runs at once; 0 for any number.
        work_rate: Works that an account of a cloud starts in a minute; 0 for any number.
        work_attempts: Failed or lost runs in a row after which work is dead.
        environment: The name of this installation in ``/info``.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        access_log: Whether each request is logged.
        otlp_endpoint: The destination of traces; empty for none.
        metrics_pools: The maximum number of node pools with separate metrics in ``/metrics``.
        controllers_port: The port of this machine with the metrics of controllers that the server has started; 0 for none.
    """

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int = 0
    workers: int = 1
    connections: int = 10
    trusted_header: bool = False
    trusted_proxies: tuple[str, ...] = ()
    jwks_url: str = ""
    issuer: str = ""
    audience: str = ""
    unverified_email: bool = False
    rate: float = 0.0
    burst: int = 100
    expected: tuple[str, ...] = ()
    deadline: float = 1800.0
    resync: float = 3600.0
    credential_keys: str = ""
    retention: float = 7 * 24 * 3600.0
    audit_retention: float = 90 * 24 * 3600.0
    tick: int = 10
    work_running: int = 5
    work_rate: float = 120.0
    work_attempts: int = 5
    environment: str = "development"
    log_level: str = "info"
    access_log: bool = True
    otlp_endpoint: str = ""
    metrics_pools: int = 1000
    controllers_port: int = 0

    @property
    def loopback(self) -> bool:
        """Whether only programs of this machine can connect."""
        return is_loopback(self.host)

    def address(self, port: int) -> str:
        """Returns the address of a port as in URLs: an IPv6 address has brackets."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def trust(self) -> auth.Trust:
        """Returns which callers the server trusts."""
        return auth.Trust(
            header=self.trusted_header,
            proxies=self.trusted_proxies,
            owners_report=self.trusted_header and self.loopback and not self.trusted_proxies,
            jwks_url=self.jwks_url,
            issuer=self.issuer,
            audience=self.audience,
            unverified_email=self.unverified_email,
        )

    @property
    def policy(self) -> contexts.Policy:
        """Returns the operator's policy for resources."""
        expected: dict[tuple[str, str], list[str]] = {}
        for entry in self.expected:
            place, _, name = entry.partition("=")
            noun, _, platform = place.partition("/")
            expected.setdefault((noun, platform), []).append(name)
        return contexts.Policy(expected, self.deadline, self.resync, self.credential_keys)

    @property
    def work(self) -> work.Limits:
        """Returns the limits of the work of controllers."""
        look = self.resync or _LOOK
        return work.Limits(running=self.work_running, rate=self.work_rate, attempts=self.work_attempts, look=round(look * 1000))

    @property
    def warnings(self) -> list[str]:
        """Returns warnings about settings that trust more than the operator may intend."""
        warnings = [
            f"--trusted-proxy {network}: X-User-Email is trusted from any address; name the proxy's own network"
            for network in self.trusted_proxies
            if ipaddress.ip_network(network).prefixlen < _WIDE
        ]
        missing = [f"--{name}" for name in ("issuer", "audience") if not getattr(self, name)]
        if self.jwks_url and missing:
            warnings.append(
                f"--jwks-url without {' and '.join(missing)}: tokens of other services are accepted; set the missing options"
            )
        return warnings

    def dump(self) -> str:
        """Returns the settings as text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, text: str) -> Settings:
        """Returns the settings that :meth:`dump` wrote."""
        data = json.loads(text)
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
        return cls(**values)


def is_loopback(host: str) -> bool:
    """Returns whether an address or name belongs to this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
