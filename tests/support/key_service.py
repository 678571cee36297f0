"""A key service that encrypts the states of tests.

Deriving a key from a passphrase takes a quarter of a second in each start of Pulumi, a third of what a start costs. Tests about
passphrases use one.
"""

from __future__ import annotations

import functools
import http.server
import json
import threading

#: The key, as a context names it.
KEY = "hashivault://planton"
#: The token of who may use the key.
TOKEN = "of the key service"


class _Service(http.server.BaseHTTPRequestHandler):
    """The part of Vault that encrypts and decrypts: a ciphertext contains the plain text."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Responds to a request to encrypt or to decrypt."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/encrypt/" in self.path:
            data = {"ciphertext": f"vault:v1:{request['plaintext']}"}
        else:
            data = {"plaintext": request["ciphertext"].removeprefix("vault:v1:")}
        body = json.dumps({"data": data}).encode()
        self.send_response(200 if self.headers["X-Vault-Token"] == TOKEN else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT  # the server requires these names

    def log_message(self, *_args: object) -> None:
        """Logs nothing."""


@functools.cache
def _url() -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def variables(token: str = TOKEN) -> dict[str, str]:
    """Returns the variables with the address of this process's service, which runs until the process ends, and with a token."""
    return {"VAULT_SERVER_URL": _url(), "VAULT_ADDR": _url(), "VAULT_SERVER_TOKEN": token, "VAULT_TOKEN": token}
