"""Who asks: a header is worth what its sender is, a token what is stored of it, a signed one what its signature is."""

import base64
import dataclasses
import datetime
import http.server
import json
import random
import threading
import types

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from planton_server import auth
from planton_server.service import errors
from planton_server.store import access, database

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ISSUER, AUDIENCE = "https://issuer.example.com", "planton"
USER = {"x-user-email": "user@example.com"}


@pytest.fixture
def store(loop, new_url):
    opened = loop.run(database.connect(new_url("sqlite")))
    yield opened
    loop.run(opened.close())


@pytest.fixture
def ask(loop, store):
    """Returns who asks, with headers, from an address; an error's code where that is nobody."""

    def asked(trust, headers, peer="127.0.0.1", now=NOW):
        try:
            return loop.run(auth.Authenticator(trust, store).caller(headers, peer, now))
        except errors.ApiError as error:
            return error.code.value

    return asked


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", ""])
def test_header_from_this_machine(ask, peer):
    """In trusted-header mode the header names the user, from loopback and a Unix socket."""
    assert ask(auth.Trust(header=True), USER, peer).name == "user@example.com"


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "unknown", "localhost", "127.0.0.1.example.com"])
def test_header_from_elsewhere(ask, peer):
    """From another address the header is nothing."""
    assert ask(auth.Trust(header=True), USER, peer) == "UNAUTHENTICATED"


def test_header_from_a_proxy(ask):
    """A named proxy is believed, its neighbour is not."""
    trust = auth.Trust(header=True, proxies=["10.1.0.0/16", "fd00::/8"])
    for peer in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::9"):
        assert ask(trust, USER, peer).name == "user@example.com"
    assert ask(trust, USER, "10.2.0.1") == "UNAUTHENTICATED"


@pytest.mark.parametrize("peer", ["127.0.0.1", ""])
def test_spoofed_header_in_token_mode(ask, peer):
    """Without trusted-header mode the header does nothing, wherever it comes from."""
    assert ask(auth.Trust(), USER, peer) == "UNAUTHENTICATED"
    assert ask(auth.Trust(proxies=["127.0.0.0/8"]), USER, peer) == "UNAUTHENTICATED"
    assert ask(auth.Trust(owners_report=True), {"x-user-email": "c@system.local"}, peer) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "email", ["", "user", "@example.com", "user@", "a b@example.com", "a\x00@example.com", "a@b@c", "x" * 65 + "@a", "a@b\r\nc"]
)
def test_header_that_is_no_address(ask, email):
    """What is no address names nobody."""
    assert ask(auth.Trust(header=True), {"x-user-email": email}) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("email", "owners", "controller", "may_report"),
    [
        ("c@system.local", False, True, True),
        ("u@example.com", False, False, False),
        ("u@example.com", True, False, True),
        ("u@system.local.example.com", False, False, False),
        ("u@notsystem.local", False, False, False),
    ],
)
def test_roles_by_address(ask, email, owners, controller, may_report):
    """Addresses of the system's domain are controllers'; owners report where they may."""
    caller = ask(auth.Trust(header=True, owners_report=owners), {"x-user-email": email})
    assert (caller.controller, caller.may_report) == (controller, may_report)


@pytest.fixture
def static(loop, store):
    """Keeps tokens and returns one by its role."""

    def make(role="user", expires_at=None):
        token = auth.new_token()

        async def put():
            async with store.transaction() as transaction:
                values = {"digest": auth.digest(token), "subject": "u@example.com", "role": role}
                await access.put_token(
                    transaction, values | {"created_at": "2025-01-01T00:00:00.000000Z", "expires_at": expires_at}
                )

        loop.run(put())
        return token

    return make


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_static_token(ask, static):
    """A known token names its subject, in its role; the header beside it does nothing."""
    caller = ask(auth.Trust(), bearer(static()) | {"x-user-email": "c@system.local"})
    assert (caller.name, caller.controller, caller.may_report) == ("u@example.com", False, False)
    caller = ask(auth.Trust(), bearer(static("controller")))
    assert (caller.controller, caller.may_report) == (True, True)
    assert ask(auth.Trust(header=True), {"authorization": f"bearer  {static()}"}).name == "u@example.com"


@pytest.mark.parametrize("text", ["Bearer x", "Bearer", "Bearer  ", "Basic dTpw", "Bearer a.b.c", "Bearer " + "0" * 64])
def test_unknown_token(ask, text):
    """What is no known token is nobody, and not the user of the header."""
    assert ask(auth.Trust(), {"authorization": text}) == "UNAUTHENTICATED"


def test_wrong_token_is_not_replaced_by_the_header(ask):
    """Who shows a token that is wrong is refused, in trusted-header mode too."""
    assert ask(auth.Trust(header=True), bearer("wrong") | USER) == "UNAUTHENTICATED"


def test_expired_token(ask, static):
    """A token works until it expires."""
    token = static(expires_at="2026-01-01T00:00:00.000000Z")
    assert ask(auth.Trust(), bearer(token), now=NOW - datetime.timedelta(seconds=1)).name == "u@example.com"
    assert ask(auth.Trust(), bearer(token), now=NOW) == "UNAUTHENTICATED"


def test_token_is_stored_as_its_digest_alone(loop, store, static):
    """Who reads the table can use none of its tokens."""
    token = static()
    (row,) = loop.run(access.list_tokens(store))
    assert row["digest"] == auth.digest(token)
    assert token not in str(dict(row))
    assert len(row["digest"]) == 64


def test_digest_is_no_token(ask, static):
    """What is stored of a token opens nothing."""
    assert ask(auth.Trust(), bearer(auth.digest(static()))) == "UNAUTHENTICATED"


def test_revoked_token_is_believed_for_seconds_only(loop, store, static):
    """A token that was revoked works no longer than ten seconds, wherever the clock is put meanwhile."""
    passed = 0.0
    asker, token = auth.Authenticator(auth.Trust(), store, lambda: passed), static()
    assert loop.run(asker.caller(bearer(token), "", NOW)).name == "u@example.com"

    async def revoke():
        async with store.transaction() as transaction:
            assert await access.revoke_token(transaction, auth.digest(token)[:12])

    loop.run(revoke())
    passed = 9.0
    assert loop.run(asker.caller(bearer(token), "", NOW + datetime.timedelta(seconds=9))).name == "u@example.com"
    passed = 10.0
    with pytest.raises(errors.ApiError, match="is unknown"):
        loop.run(asker.caller(bearer(token), "", NOW - datetime.timedelta(hours=1)))


def test_token_that_expires_while_it_is_believed(loop, store, static):
    """Being believed lengthens no token's life."""
    asker, token = auth.Authenticator(auth.Trust(), store), static(expires_at="2026-01-01T00:00:05.000000Z")
    assert loop.run(asker.caller(bearer(token), "", NOW)).name == "u@example.com"
    with pytest.raises(errors.ApiError):
        loop.run(asker.caller(bearer(token), "", NOW + datetime.timedelta(seconds=5)))


@pytest.mark.parametrize("prefix", ["", "%", "_"])
def test_revocation_needs_one_token(loop, store, static, prefix):
    """A beginning that fits several tokens, or none, revokes none."""
    static()
    static()

    async def revoke():
        async with store.transaction() as transaction:
            return await access.revoke_token(transaction, prefix)

    assert loop.run(revoke()) is False
    assert len(loop.run(access.list_tokens(store))) == 2


RSA, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
CURVE = ec.generate_private_key(ec.SECP256R1())


def _jwk(algorithm, key, identifier):
    return json.loads(algorithm.to_jwk(key.public_key())) | {"kid": identifier, "use": "sig"}


@pytest.fixture(scope="session")
def jwks():
    """An issuer's keys, served over HTTP: where they are, and which requests came."""
    asked = []
    keys = [_jwk(jwt.algorithms.RSAAlgorithm, RSA, "rsa"), _jwk(jwt.algorithms.ECAlgorithm, CURVE, "ec")]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": keys}).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield types.SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/keys", asked=asked)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def trust(jwks):
    return auth.Trust(header=True, jwks_url=jwks.url, issuer=ISSUER, audience=AUDIENCE)


def signed(key=RSA, algorithm="RS256", kid="rsa", **changes):
    """Returns a signed token; a claim that is None is left out."""
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "1234",
        "email": "u@example.com",
        "email_verified": True,
        "exp": later,
    } | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm, {"kid": kid})


def test_signed_token(ask, trust):
    """A token of the issuer names its user by email, else by subject; RSA and elliptic curves."""
    assert ask(trust, bearer(signed())).name == "u@example.com"
    assert ask(trust, bearer(signed(email_verified="true"))).name == "u@example.com"
    assert ask(trust, bearer(signed(email=None, email_verified=False))).name == "1234"
    assert ask(trust, bearer(signed(CURVE, "ES256", "ec", email=None))).name == "1234"


def test_an_email_that_says_nothing_of_itself_counts_where_that_is_set(ask, trust):
    """Some issuers verify each address and do not say so; an address that is not verified is nobody's still."""
    lenient = dataclasses.replace(trust, unverified_email=True)
    assert ask(lenient, bearer(signed(email_verified=None))).name == "u@example.com"
    for value in (False, "False", "no", 0):
        assert ask(lenient, bearer(signed(email_verified=value))) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "claims", [{"sub": "x" * 8192, "email": None}, {"email": f"{'x' * 8192}@example.com"}, {"sub": "x" * 256, "email": None}]
)
def test_a_name_that_is_too_long_for_the_database(ask, trust, claims):
    """It would be a failure of the server with each write."""
    assert ask(trust, bearer(signed(**claims))) == "VALIDATION_ERROR"
    assert ask(trust, bearer(signed(sub="x" * 255, email=None))).name == "x" * 255


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, ("u@example.com",)),
        ({"email": None, "sub": "*"}, ()),
        ({"controller_names": "gcp-*"}, ("gcp-*",)),
        ({"controller_names": ["a", "b-*"]}, ("a", "b-*")),
    ],
)
def test_a_signed_token_reports_as_itself(ask, trust, claims, expected):
    """Or as its issuer says; a name that looks like a pattern is none."""
    assert ask(trust, bearer(signed(roles=["controller"], **claims))).reports_as == expected


def test_a_static_token_of_an_older_release_reports_as_any_controller(ask, static):
    """It was made without a name."""
    assert ask(auth.Trust(), bearer(static("controller"))).reports_as == ("*",)


def test_tokens_by_chance_are_refused(ask, trust):
    """Whatever stands in them, nobody is anybody, and nothing fails."""
    chance = random.Random(5)
    header, claims, signature = signed().split(".")

    def encoded(text):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    deep = encoded("[" * 20_000)
    parts = [header, claims, signature, deep, encoded("{}"), encoded('{"alg":"RS256","kid":"rsa"}'), encoded('{"alg":"none"}'), encoded("null"),
        encoded('{"alg":"RS256","kid":["rsa"]}'), encoded('{"alg":["RS256"],"kid":"rsa"}'), encoded('{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}'),
        encoded('{"exp":1e999}'), encoded('{"exp":' + "9" * 5000 + "}"), "", "=", "\x00", "é", "A" * 10_000, encoded("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"))]  # fmt: skip
    good = f"{header}.{claims}.{signature}"
    for _ in range(400):
        token = ".".join(chance.choice(parts) for _ in range(chance.choice((1, 2, 3, 3, 3, 3, 4))))
        if token != good:
            assert ask(trust, {"authorization": f"Bearer {token}"}) == "UNAUTHENTICATED", token[:200]


@pytest.mark.parametrize(
    "changes", [{"exp": float("inf")}, {"exp": float("nan")}, {"exp": "inf"}, {"exp": [1]}, {"nbf": {}}, {"iat": "x"}, {"aud": 5}]
)
def test_claims_of_another_form_are_refused(ask, trust, changes):
    """By an issuer's mistake; no failure of the server."""
    assert ask(trust, bearer(signed(**changes))) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("claims", "controller"),
    [
        ({"roles": ["controller"]}, True),
        ({"roles": ["user"]}, False),
        ({"roles": "controller"}, False),
        ({"email": "c@system.local"}, False),
    ],
)
def test_role_of_a_signed_token(ask, trust, claims, controller):
    """A controller is who the issuer says is one, whatever the address looks like."""
    caller = ask(trust, bearer(signed(**claims)))
    assert (caller.controller, caller.may_report) == (controller, controller)


def _past(**delta):
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(**delta)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": _past(seconds=1)},
        {"exp": None},
        {"nbf": _past(hours=-1)},
        {"key": OTHER},
        {"kid": "unknown"},
        {"email": None, "sub": None},
        {"email": "a\x00@example.com"},
        {"email_verified": None},
        *(
            {"email_verified": value}
            for value in (False, "false", "False", "no", 0, 1, "1", "yes", "True", "TRUE", "", [], [True], {"a": True})
        ),
        {"email_verified": 2.0},
        {"email": ["u@example.com"]},
        {"roles": ["controller"], "controller_names": []},
        {"roles": ["controller"], "controller_names": [""]},
        {"roles": ["controller"], "controller_names": ["two words"]},
        {"roles": ["controller"], "controller_names": [1]},
        {"roles": ["controller"], "controller_names": 1},
        {"roles": ["controller"], "controller_names": ["a"] * 21},
    ],
)
def test_bad_signed_token(ask, trust, changes):
    """A token of another issuer, for others, out of its time, or by another key is nobody's."""
    assert ask(trust, bearer(signed(**changes)) | USER) == "UNAUTHENTICATED"


def test_unsigned_token(ask, trust):
    """A token with the algorithm none, or signed with the public key as a password, is nobody's."""
    assert (
        ask(trust, bearer(jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": 2**33}, None, "none", {"kid": "rsa"})))
        == "UNAUTHENTICATED"
    )
    header, claims, _ = signed().split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).encode()).decode().rstrip("=")
    assert ask(trust, bearer(f"{forged}.{claims}.AAAA")) == "UNAUTHENTICATED"
    assert ask(trust, bearer(f"{header}.{claims}.")) == "UNAUTHENTICATED"


def test_tokens_of_unknown_keys_cost_the_issuer_nothing(loop, store, jwks, trust):
    """For a hundred of them it is asked once, and tokens of its keys are believed meanwhile."""
    asker = auth.Authenticator(trust, store)

    async def refused(kid):
        with pytest.raises(errors.ApiError) as caught:
            await asker.caller(bearer(signed(kid=kid)), "", NOW)
        return caught.value.code.value

    async def together():
        return {await refused(f"unknown-{number}") for number in range(100)}

    before = len(jwks.asked)
    assert loop.run(together()) == {"UNAUTHENTICATED"}
    assert loop.run(asker.caller(bearer(signed()), "", NOW)).name == "u@example.com"
    assert len(jwks.asked) - before == 1


def test_keys_that_cannot_be_had(ask):
    """Without the issuer's keys nothing can be said: that is no refusal."""
    trust = auth.Trust(jwks_url="http://127.0.0.1:1/keys", issuer=ISSUER, audience=AUDIENCE)
    assert ask(trust, bearer(signed())) == "UNAVAILABLE"
