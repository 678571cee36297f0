"""The environment of the engine: selected variables of the user's environment.

Every option of Pulumi's commands is also a variable (``PULUMI_OPTION_…``), and many more variables change the engine's behaviour.
A variable that a shell sets for another purpose must not affect planton.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

#: Variables of the system, of proxies and of certificates.
_SYSTEM = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "TMP",
        "TEMP",
        "TZ",
        "LANG",
        "LANGUAGE",
        "TERM",
        "NO_COLOR",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "PYTHONHOME",
        "GODEBUG",
        "GOGC",
        "GOMAXPROCS",
        "GOMEMLIMIT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NIX_SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
    }
)
#: Credentials for a backend of states, or for a key service that encrypts them.
_BACKENDS = frozenset(
    {
        "MSI_ENDPOINT",
        "MSI_SECRET",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IMDS_ENDPOINT",
        "GCE_METADATA_HOST",
        "GCE_METADATA_IP",
        "STORAGE_EMULATOR_HOST",
    }
)
_PREFIXES = ("LC_", "XDG_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ARM_", "VAULT_", "PG")
#: The variables of Pulumi that select the account of a backend. planton sets the others.
_PULUMI = frozenset({"PULUMI_ACCESS_TOKEN", "PULUMI_CREDENTIALS_PATH", "PULUMI_DEFAULT_ORGANIZATION"})
#: The mark of the engines of a controller, by which they are found and ended.
_MARK = "PLANTON_PROCESS"
_HOME = "PULUMI_HOME"
_TRACING = ("TRACEPARENT", "OTEL_EXPORTER_OTLP_INSECURE")
#: An engine lives for a second or two, in which Go's garbage collector takes a sixth of its CPU. It runs less often; near the limit
#: of memory it runs as often as it must. The figures are those of ``benchmarks/apply_cost.py``.
_GARBAGE_COLLECTION = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}


def for_engine(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables of an environment that Pulumi's command line may see.

    ``PULUMI_HOME`` is always set. Otherwise two programs could use different folders if ``HOME`` is not the account's home.
    Without settings of the user for Go's garbage collector, it runs less often than Go's default.
    """
    chosen = {name: value for name, value in environ.items() if _is_chosen(name)}
    return _GARBAGE_COLLECTION | chosen | {_HOME: str(pulumi_home(environ))}


def _is_chosen(name: str) -> bool:
    return name == _MARK or name in _SYSTEM or name in _BACKENDS or name in _PULUMI or name.startswith(_PREFIXES)


@contextlib.contextmanager
def hidden_from_sdk(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Removes the variables that would affect Pulumi's SDK in this process, and restores them at the end.

    Args:
        environ: The environment of the process, after its settings were read.
    """
    hidden = {name: environ.pop(name) for name in list(environ) if _changes_sdk(name)}
    try:
        yield
    finally:
        environ.update(hidden)


def _changes_sdk(name: str) -> bool:
    return (name.startswith("PULUMI_") and name not in _PULUMI and name != _HOME) or name in _TRACING


def account_home() -> pathlib.Path | None:
    """Returns the home folder of the user's account, by the system's records; None if it has none."""
    try:
        return pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def pulumi_home(environ: Mapping[str, str], *, account: Callable[[], pathlib.Path | None] = account_home) -> pathlib.Path:
    """Returns the folder of Pulumi's plugins and credentials: ``$PULUMI_HOME``, else Pulumi's own ``.pulumi``.

    Pulumi prefers the account's home to ``$HOME``. An account whose home does not exist or cannot be written uses ``$HOME``.
    """
    named = environ.get(_HOME)
    if named:
        return pathlib.Path(named).absolute()
    home = account()
    if home is None or not ((home / ".pulumi").is_dir() or os.access(home, os.W_OK)):
        home = pathlib.Path(environ.get("HOME") or "~").expanduser()
    return home / ".pulumi"
