"""OAuth 2: POST /token, revoke, introspect, metadata and keys, byte by byte."""

import base64
import json
from collections.abc import Callable

import httpx
import jwt
import pytest

from support.api import Api, Person, check_problem
from support.service import Service
from support.stack import Stack

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ENDPOINTS = ["/token", "/auth/token"]


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " +
            base64.b64encode(f"{user}:{password}".encode()).decode()}


def password_form(person: Person, **more: str) -> dict[str, str]:
    return {"username": person.name, "password": person.password} | more


def check_error(answer: httpx.Response, status: int, error: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["error"] == error, answer.text
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def check_tokens(answer: httpx.Response) -> dict:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert body["token_type"] == "bearer" and body["scope"] == "chat"
    return body


# --- the token endpoint ----------------------------------------------------------------
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("form", [{"grant_type": "password"}, {}], ids=["named", "default"])
def test_a_password_gets_tokens(form: dict, endpoint: str, api: Api, alice: Person):
    body = check_tokens(api.http.post(endpoint, data=password_form(alice, **form)))
    owner = api.user_of_token(body["access_token"]).json()
    assert (owner["id"], owner["name"]) == (alice.id, alice.name)
    refreshed = check_tokens(api.http.post(endpoint, data={
        "grant_type": "refresh_token", "refresh_token": body["refresh_token"]}))
    assert api.user_of_token(refreshed["access_token"]).json()["session"] == owner["session"]
    # The two ways to refresh are one.
    api.refresh(refreshed["refresh_token"])


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded;charset=UTF-8",
                                  "application/x-www-form-urlencoded; charset=utf-8",
                                  "APPLICATION/X-WWW-FORM-URLENCODED"])
def test_the_charset_may_be_named(kind: str, api: Api, alice: Person):
    body = str(httpx.QueryParams(password_form(alice)))
    check_tokens(api.http.post("/token", content=body, headers={"Content-Type": kind}))


NO_CLIENT, IN_BODY, IN_HEADER = {}, {"client_id": "app"}, {}
CLIENTS: dict[str, tuple[dict, dict]] = {
    "none": ({}, {}),
    "in the body": ({"client_id": "app"}, {}),
    "in the header": ({}, basic("app")),
    "in both": ({"client_id": "app"}, basic("app")),
    "an empty secret": ({"client_id": "app", "client_secret": ""}, {}),
    "encoded": ({}, basic("my%20app+%F0%9F%98%80".replace("%F0%9F%98%80", "x"))),
}


@pytest.mark.parametrize("form, headers", CLIENTS.values(), ids=CLIENTS.keys())
def test_a_public_client_may_name_itself(form: dict, headers: dict, api: Api, alice: Person):
    check_tokens(api.http.post("/token", data=password_form(alice, **form), headers=headers))


BAD_CLIENTS: dict[str, tuple[dict, dict, int, str]] = {
    "a secret in the body": ({"client_id": "app", "client_secret": "x"}, {}, 401,
                             "invalid_client"),
    "a secret in the header": ({}, basic("app", "x"), 401, "invalid_client"),
    "not base64": ({}, {"Authorization": "Basic ???"}, 401, "invalid_client"),
    "no colon": ({}, {"Authorization": "Basic YXBw"}, 401, "invalid_client"),
    "a NUL": ({}, {"Authorization": "Basic YQBiOg=="}, 401, "invalid_client"),
    "Bearer": ({}, {"Authorization": "Bearer x"}, 401, "invalid_client"),
    "two clients": ({"client_id": "one"}, basic("two"), 400, "invalid_request"),
    "not ASCII": ({"client_id": "é"}, {}, 400, "invalid_request"),
    "256 bytes": ({"client_id": "x" * 256}, {}, 400, "invalid_request"),
    "a bad escape": ({}, basic("a%zz"), 401, "invalid_client"),
}


@pytest.mark.parametrize("form, headers, status, error", BAD_CLIENTS.values(),
                         ids=BAD_CLIENTS.keys())
def test_another_client_is_refused(form: dict, headers: dict, status: int, error: str, api: Api,
                                   alice: Person):
    check_error(api.http.post("/token", data=password_form(alice, **form), headers=headers),
                status, error)


def test_a_refresh_token_is_for_its_client_only(api: Api, alice: Person):
    token = check_tokens(api.http.post("/token", data=password_form(alice, client_id="app"))
                         )["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    check_error(api.http.post("/token", data=form | {"client_id": "other"}), 400, "invalid_grant")
    check_error(api.http.post("/token", data=form, headers=basic("App")), 400, "invalid_grant")
    check_tokens(api.http.post("/token", data=form, headers=basic("app")))
    check_tokens(api.http.post("/token", data=form))  # without a name: accepted


BAD_FORMS: dict[str, tuple[str, str]] = {
    "empty": ("", "invalid_request"),
    "only a name": ("username=x", "invalid_request"),
    "no name": ("grant_type=password&password=x", "invalid_request"),
    "no password": ("grant_type=password&username=x", "invalid_request"),
    "no refresh token": ("grant_type=refresh_token", "invalid_request"),
    "twice": ("grant_type=password&grant_type=password&username=a&password=b",
              "invalid_request"),
    "a bad escape": ("grant_type=password&username=%zz&password=b", "invalid_request"),
    "not UTF-8": ("grant_type=password&username=%ff&password=b", "invalid_request"),
    "a NUL": ("grant_type=password&username=%00&password=b", "invalid_request"),
    "JSON": ('{"grant_type":"password"}', "invalid_request"),
    "another grant": ("grant_type=client_credentials", "unsupported_grant_type"),
    "an empty grant": ("grant_type=&username=a&password=b", "unsupported_grant_type"),
    "a grant in capitals": ("grant_type=PASSWORD&username=a&password=b",
                            "unsupported_grant_type"),
    "a code": ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
    "an unknown name": ("grant_type=password&username=nobody-here&password=wrong-password",
                        "invalid_grant"),
    "an unknown refresh token": (f"grant_type=refresh_token&refresh_token={'A' * 64}",
                                 "invalid_grant"),
    "no refresh token at all": ("grant_type=refresh_token&refresh_token=", "invalid_grant"),
}


@pytest.mark.parametrize("body, error", BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_bad_form_gets_the_error_of_the_rfc(body: str, error: str, api: Api):
    check_error(api.http.post("/token", content=body, headers=FORM), 400, error)


def test_an_access_token_is_no_refresh_token(api: Api, alice: Person):
    check_error(api.http.post("/token", data={
        "grant_type": "refresh_token", "refresh_token": alice.token}), 400, "invalid_grant")


def test_a_wrong_password_counts_as_a_guess(api: Api):
    person = api.register()
    wrong = password_form(person) | {"password": "wrong-password"}
    for _ in range(10):
        check_error(api.http.post("/token", data=wrong), 400, "invalid_grant")
    answer = api.http.post("/token", data=password_form(person) | {"password": "x"})
    assert check_problem(answer, 429)["error"] == "temporarily_unavailable"
    check_problem(api.http.post("/auth/login", json={
        "name": person.name, "password": "wrong-password"}), 429)


REFUSALS: dict[str, tuple[Callable[[Api], httpx.Response], int]] = {
    "GET": (lambda api: api.http.get("/token"), 405),
    "JSON": (lambda api: api.http.post("/token", json={}), 415),
    "17 KiB": (lambda api: api.http.post("/token", content=b"a" * 17408, headers=FORM), 413),
}


@pytest.mark.parametrize("ask, status", REFUSALS.values(), ids=REFUSALS.keys())
def test_other_refusals_are_problem_documents_with_an_error(
        ask: Callable[[Api], httpx.Response], status: int, stack: Stack, api: Api):
    """Of the service, and of nginx in front of it."""
    direct = Api(f"http://127.0.0.1:{stack.port('IDENTITY_PORT')}")
    for each in (direct, api):
        assert check_problem(ask(each), status)["error"] == "invalid_request"
    direct.close()


def test_the_password_grant_can_be_switched_off(stack: Stack):
    with Service(stack, "identity-service", IDENTITY_PASSWORD_GRANT="0") as service:
        api = Api(service.url)
        person = api.register()
        for form in (password_form(person), password_form(person, grant_type="password")):
            assert api.http.post("/token", data=form).status_code == 400
        check_error(api.http.post("/token", data=password_form(person, grant_type="password")),
                    400, "unsupported_grant_type")
        metadata = api.http.get("/.well-known/oauth-authorization-server").json()
        assert metadata["grant_types_supported"] == ["refresh_token"]
        check_tokens(api.http.post("/token", data={
            "grant_type": "refresh_token", "refresh_token": person.refresh_token}))
        api.close()


# --- revoke -------------------------------------------------------------------------------
def revoke(api: Api, token: str, **options) -> int:
    return api.http.post("/auth/revoke", data={"token": token}, **options).status_code


@pytest.mark.parametrize("which", ["access", "refresh", "a used refresh token"])
def test_revoking_a_token_ends_its_session(which: str, api: Api, alice: Person):
    other = api.login(alice.name)
    newest = api.refresh(api.refresh(alice.refresh_token))
    assert revoke(api, alice.token if which == "access" else
                  newest if which == "refresh" else alice.refresh_token) == 200
    assert api.user_of_token(alice.token).status_code == 401
    check_problem(api.ask_refresh(newest), 401)
    assert api.user_of_token(other.token).status_code == 200


@pytest.mark.parametrize("token", ["x", "", "A" * 64, "a.b.c", "é"])
def test_revoking_anything_else_is_fine(token: str, api: Api):
    assert revoke(api, token) == 200
    assert revoke(api, token, headers=basic("app")) == 200


def test_revoking_nothing_is_an_error(api: Api):
    check_error(api.http.post("/auth/revoke", content="", headers=FORM), 400, "invalid_request")
    check_error(api.http.post("/auth/revoke", content="token=a&token=b", headers=FORM), 400,
                "invalid_request")
    check_error(api.http.post("/auth/revoke", data={"token": "x"}, headers=basic("a", "b")),
                401, "invalid_client")


# --- introspect -----------------------------------------------------------------------------
@pytest.fixture
def secret(stack: Stack) -> str:
    return stack.secret("identity-service")


def introspect(api: Api, secret: str, token: str) -> dict:
    answer = api.http.post("/auth/introspect", data={"token": token},
                           headers=basic("any", secret))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_service_learns_what_a_token_says(api: Api, alice: Person, secret: str):
    said = introspect(api, secret, alice.token)
    claims = jwt.decode(alice.token, options={"verify_signature": False})
    assert said == {"active": True, "token_type": "bearer", "username": alice.name} | {
        name: claims[name] for name in ("sub", "sid", "iss", "aud", "exp", "iat", "jti")}


def test_a_token_that_is_not_good_is_not_active(api: Api, alice: Person, secret: str):
    ended = api.login(alice.name)
    api.ask("POST", "/auth/logout", ended)
    for token in (ended.token, alice.refresh_token, "", "x", alice.token + "x", "é" * 100):
        assert introspect(api, secret, token) == {"active": False}


def test_only_a_service_may_introspect(api: Api, alice: Person, secret: str, stack: Stack):
    for headers in ({}, basic("any"), basic("any", "x"), basic(secret), alice.bearer,
                    basic("any", secret + "\n"), basic("any", secret[:-1])):
        check_error(api.http.post("/auth/introspect", data={"token": alice.token},
                                  headers=headers), 401, "invalid_client")
    with Service(stack, "identity-service", IDENTITY_SERVICE_SECRET_FILE="") as service:
        # Without a secret nobody may.
        open_api = Api(service.url)
        check_error(open_api.http.post("/auth/introspect", data={"token": alice.token},
                                       headers=basic("any")), 401, "invalid_client")
        open_api.close()


# --- metadata ---------------------------------------------------------------------------------
def test_the_metadata_name_the_endpoints(api: Api, stack: Stack, alice: Person):
    answer = api.http.get("/.well-known/oauth-authorization-server")
    assert answer.status_code == 200 and "max-age" in answer.headers["Cache-Control"]
    said = answer.json()
    assert said["issuer"] == stack.url
    assert jwt.decode(alice.token, options={"verify_signature": False})["iss"] == stack.url
    assert said["response_types_supported"] == []
    assert said["grant_types_supported"] == ["refresh_token", "password"]
    assert set(said["token_endpoint_auth_methods_supported"]) == {"none", "client_secret_basic"}
    for name, status in (("token_endpoint", 405), ("revocation_endpoint", 405),
                         ("introspection_endpoint", 405), ("jwks_uri", 200)):
        assert said[name].startswith(stack.url + "/")
        assert httpx.get(said[name], trust_env=False).status_code == status


def test_the_keys_verify_tokens_and_are_public(api: Api, alice: Person):
    answer = api.http.get("/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in keys)
    kid = jwt.get_unverified_header(alice.token)["kid"]
    key, = (key for key in keys if key["kid"] == kid)
    claims = jwt.decode(alice.token, jwt.PyJWK(key).key, algorithms=["RS256"], audience="parley")
    assert claims["sub"] == str(alice.id)


def test_a_token_of_the_former_issuer_is_good(stack: Stack, api: Api, alice: Person):
    with Service(stack, "identity-service", IDENTITY_ISSUER="https://chat.example",
                 IDENTITY_ISSUER_BEFORE=stack.url) as moved:
        new = Api(moved.url)
        assert new.user_of_token(alice.token).status_code == 200
        token = new.login(alice.name).token
        assert jwt.decode(token, options={"verify_signature": False})["iss"] == \
            "https://chat.example"
        assert json.loads(new.http.get("/.well-known/oauth-authorization-server").text)[
            "issuer"] == "https://chat.example"
        # An instance that does not know the new one refuses it.
        assert api.user_of_token(token).status_code == 401
        new.close()
