"""Clients of OAuth 2 that others wrote: Authlib and requests-oauthlib, and those of
tests/node/oauth_clients.mjs."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.jose import JsonWebKey, JsonWebToken
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from support.api import Api, Person
from support.node import run_node
from support.stack import Stack


@pytest.fixture(autouse=True)
def over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clients insist on https; here everything is on loopback."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def metadata(api: Api) -> dict:
    return api.http.get("/.well-known/oauth-authorization-server").json()


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_authlib_signs_in_refreshes_and_revokes(method: str, stack: Stack, metadata: dict,
                                                alice: Person):
    secret = None if method == "none" else ""
    with AuthlibSession("an-app", secret, token_endpoint_auth_method=method,
                        token_endpoint=metadata["token_endpoint"]) as session:
        session.trust_env = False
        first = session.fetch_token(metadata["token_endpoint"], grant_type="password",
                                    username=alice.name, password=alice.password)
        assert session.get(f"{stack.url}/auth/status").json()["user"]["id"] == alice.id
        second = session.refresh_token(metadata["token_endpoint"],
                                       refresh_token=first["refresh_token"])
        assert second["access_token"] != first["access_token"]
        assert session.get(f"{stack.url}/auth/status").status_code == 200
        answer = session.revoke_token(metadata["revocation_endpoint"],
                                      token=second["refresh_token"])
        assert answer.status_code == 200
        assert session.get(f"{stack.url}/auth/status").status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"],
                                  refresh_token=second["refresh_token"])


def test_authlib_checks_a_token_with_the_published_keys(api: Api, metadata: dict,
                                                        alice: Person):
    keys = JsonWebKey.import_key_set(api.http.get("/.well-known/jwks.json").json())
    claims = JsonWebToken(["RS256"]).decode(alice.token, keys, claims_options={
        "iss": {"essential": True, "value": metadata["issuer"]},
        "aud": {"essential": True, "value": "parley"}})
    claims.validate()
    assert claims["sub"] == str(alice.id)


@pytest.mark.parametrize("in_body", [True, False], ids=["in the body", "in the header"])
def test_requests_oauthlib_signs_in_and_refreshes(in_body: bool, stack: Stack, metadata: dict,
                                                  alice: Person):
    with OAuth2Session(client=LegacyApplicationClient(client_id="another app")) as session:
        session.trust_env = False
        session.fetch_token(metadata["token_endpoint"], username=alice.name,
                            password=alice.password, include_client_id=in_body)
        assert session.get(f"{stack.url}/auth/status").json()["user"]["id"] == alice.id
        session.refresh_token(metadata["token_endpoint"], client_id="another app")
        assert session.get(f"{stack.url}/auth/status").status_code == 200


def test_requests_oauthlib_learns_of_a_wrong_password(metadata: dict, alice: Person):
    with OAuth2Session(client=LegacyApplicationClient(client_id="an app")) as session:
        session.trust_env = False
        with pytest.raises(InvalidGrantError):
            session.fetch_token(metadata["token_endpoint"], username=alice.name,
                                password="wrong password")


def test_clients_for_node(stack: Stack, alice: Person):
    run_node("oauth_clients.mjs", URL=stack.url, NAME=alice.name, PASSWORD=alice.password,
             SECRET=stack.secret("identity-service"))
