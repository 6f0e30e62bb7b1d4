// Clients of OAuth 2 that others wrote: openid-client, oauth4webapi, jose. Each signs a user in,
// refreshes, checks the token with the published keys, asks about it, and revokes it.
//
// Environment: URL, NAME, PASSWORD, SECRET (of introspection). Any fault ends it with an exception.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const { URL: url, NAME: username, PASSWORD: password, SECRET: secret } = process.env;
const server = new URL(url);

async function checkToken(keys, issuer, token) {
  const { payload } = await jose.jwtVerify(token, keys, { issuer, audience: "parley" });
  assert.equal(payload.name, username);
}

async function withOpenidClient() {
  const over_http = { execute: [openid.allowInsecureRequests], algorithm: "oauth2" };
  const config = await openid.discovery(server, "a web app", undefined, openid.None(), over_http);
  const service = await openid.discovery(
    server, "a service", { client_secret: secret }, openid.ClientSecretBasic(secret), over_http);
  const { issuer, jwks_uri } = config.serverMetadata();
  const keys = jose.createRemoteJWKSet(new URL(jwks_uri));

  const first = await openid.genericGrantRequest(config, "password", { username, password });
  await checkToken(keys, issuer, first.access_token);
  assert.ok(first.expiresIn() > 0);
  const second = await openid.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  await checkToken(keys, issuer, second.access_token);
  const active = await openid.tokenIntrospection(service, second.access_token);
  assert.equal(active.active, true);
  assert.equal(active.username, username);
  await openid.tokenRevocation(config, second.refresh_token);
  const ended = await openid.tokenIntrospection(service, second.access_token);
  assert.deepEqual(ended, { active: false });
  await assert.rejects(openid.refreshTokenGrant(config, second.refresh_token),
                       { error: "invalid_grant", status: 400 });
}

async function withOauth4webapi() {
  const over_http = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(
    server, await oauth.discoveryRequest(server, { algorithm: "oauth2", ...over_http }));
  const client = { client_id: "another app" };
  const grant = async (form) => oauth.processGenericTokenEndpointResponse(
    as, client, await oauth.genericTokenEndpointRequest(
      as, client, oauth.None(), "password", new URLSearchParams(form), over_http));
  const refresh = async (token) => oauth.processRefreshTokenResponse(
    as, client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, over_http));

  const first = await grant({ username, password });
  assert.equal(first.token_type, "bearer");
  assert.equal(first.scope, "chat");
  const second = await refresh(first.refresh_token);
  await checkToken(jose.createRemoteJWKSet(new URL(as.jwks_uri)), as.issuer, second.access_token);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, oauth.None(), second.refresh_token, over_http));
  await assert.rejects(refresh(second.refresh_token), { error: "invalid_grant", status: 400 });
  await assert.rejects(grant({ username, password: "wrong horse" }), { error: "invalid_grant" });
}

await withOpenidClient();
await withOauth4webapi();
