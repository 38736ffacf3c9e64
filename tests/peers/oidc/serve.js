// An OpenID provider with the people of the file PEOPLE, by subject. It is read at each sign-in: a test changes it between.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const issuer = `http://127.0.0.1:${process.env.PORT}`;
const people = () => JSON.parse(readFileSync(process.env.PEOPLE, "utf8"));
const day = 24 * 60 * 60;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "onefold",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      redirect_uris: [process.env.CALLBACK],
    },
  ],
  findAccount: (_, subject) => {
    const person = people()[subject];
    return person && { accountId: subject, claims: () => ({ sub: subject, ...person }) };
  },
  issueRefreshToken: () => true,
  claims: { openid: ["sub", "groups"], profile: ["given_name", "family_name"], email: ["email"] },
  conformIdTokenClaims: false,
  scopes: ["openid", "profile", "email", "offline_access", "companies", "people"],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        audience: "onefold-api",
        scope: "companies people",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  extraTokenClaims: (_, token) => ({ groups: people()[token.accountId]?.groups }),
  ttl: { AccessToken: 600, IdToken: 600, Session: day, Interaction: 3600, Grant: day, RefreshToken: day, DeviceCode: 600 },
  cookies: { keys: ["for a test only"] },
});
provider.listen(Number(process.env.PORT), "127.0.0.1");
