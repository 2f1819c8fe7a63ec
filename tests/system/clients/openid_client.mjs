// One sign-in by npm openid-client. Reads lines of JSON, writes lines of JSON.
import * as client from "openid-client";
import * as oauth from "oauth4webapi";
import readline from "node:readline";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const { issuer, id, secret, key, redirect } = await read();
// With a key: private_key_jwt, as its documentation says.
const ES256 = { name: "ECDSA", namedCurve: "P-256" };
const signed = key && client.PrivateKeyJwt({
  key: await crypto.subtle.importKey("jwk", key, ES256, false, ["sign"]),
  kid: key.kid,
});
const config = await client.discovery(new URL(issuer), id, secret ?? undefined, signed, {
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
write({
  url: client.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: "openid email offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).href,
});
const { callback } = await read();
const tokens = await client.authorizationCodeGrant(config, new URL(callback), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const sub = tokens.claims().sub;
const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
const again = await client.refreshTokenGrant(config, tokens.refresh_token);
const seen = await client.tokenIntrospection(config, again.access_token);

// oauth4webapi, which is stricter, reads the same metadata and asks for the same person.
const plain = { [oauth.allowInsecureRequests]: true };
const server = await oauth.processDiscoveryResponse(
  new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), plain),
);
const answer = await oauth.userInfoRequest(server, { client_id: id }, again.access_token, plain);
const strict = await oauth.processUserInfoResponse(server, { client_id: id }, sub, answer);
await client.tokenRevocation(config, again.refresh_token);
const after = await client.tokenIntrospection(config, again.access_token);
write({ sub, email: userinfo.email, strict: strict.sub, seen: seen.active, after: after.active });
