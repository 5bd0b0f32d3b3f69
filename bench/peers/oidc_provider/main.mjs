// A server of oidc-provider, with the features that the workloads need.
//
//   main.mjs prepare FOLDER PORT URL            makes the table and what is kept, and prints the site as JSON
//   main.mjs serve FOLDER PORT URL WORKERS

import cluster from "node:cluster";
import { randomBytes, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const REDIRECT_URI = "https://app.example.com/callback";
const SCOPES = "openid read";
const [command, folder, port, url, workers] = process.argv.slice(2);

const here = dirname(fileURLToPath(import.meta.url));
const cache = createRequire(join(here, "..", "..", ".cache", "node", "package.json"));
const { default: Provider } = await import(pathToFileURL(cache.resolve("oidc-provider")));
const { default: makeStore } = await import("./store.mjs");
const store = makeStore(cache("pg"), url.replace("+psycopg", ""));

const page = (prompt, client) => `<!doctype html><title>Allow?</title><h1>Allow ${client}?</h1><p>It asks for
${prompt.details.missingOIDCScope ?? ""}.</p><form method="post"><button name="prompt" value="${prompt.name}">Allow</button></form>`;

function makeProvider({ jwk, cookieKey }) {
  return new Provider(`http://127.0.0.1:${port}`, {
    adapter: store.Adapter,
    jwks: { keys: [jwk] },
    cookies: { keys: [cookieKey] },
    scopes: SCOPES.split(" "),
    claims: { openid: ["sub"] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
    },
    findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => false,
    revokeGrantPolicy: (ctx) => ctx.oidc.route !== "revocation", // the person is not asked again
    rotateRefreshToken: true,
  });
}

async function prepare() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" };
  const kept = { jwk, cookieKey: randomBytes(32).toString("base64url") };
  writeFileSync(join(folder, "kept.json"), JSON.stringify(kept));
  await store.makeTable();
  const provider = makeProvider(kept);
  const parties = {};
  for (const name of ["app", "asking", "api"]) {
    const secret = randomBytes(32).toString("base64url");
    await new store.Adapter("Client").upsert(name, {
      client_id: name,
      client_secret: secret,
      client_name: name,
      redirect_uris: [REDIRECT_URI],
      grant_types: ["client_credentials", "authorization_code", "refresh_token"],
      response_types: ["code"],
      scope: SCOPES,
      id_token_signed_response_alg: "RS256",
    });
    parties[name] = [name, secret];
  }
  const grant = new provider.Grant({ accountId: "ann", clientId: "app" });
  grant.addOIDCScope(SCOPES);
  const grantId = await grant.save(14 * 86400);
  const session = new provider.Session();
  session.loginAccount({ accountId: "ann", amr: ["pwd"], acr: "1" });
  session.ensureClientContainer("app");
  session.grantIdFor("app", grantId);
  await session.save(14 * 86400);
  const Keygrip = createRequire(cache.resolve("oidc-provider"))("keygrip");
  const cookie = `_session=${session.jti}`;
  const paths = {
    authorize: "/auth",
    token: "/token",
    introspect: "/token/introspection",
    revoke: "/token/revocation",
    userinfo: "/me",
    discovery: "/.well-known/openid-configuration",
    jwks: "/jwks",
  };
  console.log(JSON.stringify({
    ...paths,
    ...parties,
    service: parties.app,
    asking: "asking",
    issuer: `http://127.0.0.1:${port}`,
    cookie: `${cookie}; _session.sig=${new Keygrip([kept.cookieKey]).sign(cookie)}`,
  }));
  await store.close();
}

function serve() {
  const provider = makeProvider(JSON.parse(readFileSync(join(folder, "kept.json"))));
  const answer = provider.callback();
  http.createServer(async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    const { prompt, params } = await provider.interactionDetails(request, response);
    const body = page(prompt, params.client_id);
    response.writeHead(200, { "content-type": "text/html", "content-length": Buffer.byteLength(body) }).end(body);
  }).listen(Number(port), "127.0.0.1");
}

if (command === "prepare") {
  await prepare();
} else if (cluster.isPrimary && Number(workers) > 1) {
  for (let number = 0; number < Number(workers); number += 1) cluster.fork();
  process.on("SIGTERM", () => process.exit(0)); // its workers end with it
} else {
  serve();
}
