// A certified OpenID provider (npm's oidc-provider) dressed in the shapes of Entra ID v2.0, as a peer for tests.
//
//     node .ci/peers/openid.mjs
//
// Environment: PORT (0: any), TENANT, REDIRECT_URI, SIGNED_OUT_URI, APP_JWK (the public JWK of a certificate: the client
// then signs in with private_key_jwt instead of its secret).
// Stdout: first `ready ISSUER`. Client: id `portal-web`, secret `portal-web-secret-0123456789`.
// Sign-in without a browser: follow the redirect to /interaction/UID, POST prompt=login&login=USER&password=x to it,
// follow the redirect back, read `code`. People: alice (Portal.User), bob (Portal.Approver), carol (Portal.Admin),
// many (groups overage, no `groups`), noroles, foreign (another tenant's `tid` under our issuer).
// `claims` may ask for an authentication context in `acrs`, as Entra takes it: everybody satisfies c1 and nobody another.
// A restart makes a new signing key. Ends on SIGTERM, or when stdin closes: a test that dies takes its peer along.
import crypto from 'node:crypto';
import http from 'node:http';
import { Provider } from 'oidc-provider';

const env = process.env;
const tenant = env.TENANT ?? '11111111-2222-4333-8444-555555555555';
const redirectUri = env.REDIRECT_URI ?? 'http://127.0.0.1:9500/auth/callback';
const signedOutUri = env.SIGNED_OUT_URI ?? 'http://127.0.0.1:9500/signed-out';
const mount = `/${tenant}`;
const graph = 'https://graph.microsoft.com';

// A stable object id made of a name.
const oid = (name) => {
  const h = crypto.createHash('sha256').update(name).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 32)}`;
};
const groups = (n) => Array.from({ length: n }, (_, i) => oid(`group${i}`));

const people = {
  alice: { name: 'Alice Requester', roles: ['Portal.User'], groups: groups(3) },
  bob: { name: 'Bob Approver', roles: ['Portal.User', 'Portal.Approver'], groups: groups(5) },
  carol: { name: 'Carol Admin', roles: ['Portal.Admin'], groups: groups(2) },
  many: { name: 'Many Groups', roles: ['Portal.User'], overage: true },
  noroles: { name: 'No Roles' },
  foreign: { name: 'Guest Foreign', roles: ['Portal.User'], tid: '99999999-2222-4333-8444-555555555555' },
};

const contexts = ['c1'];

function claimsOf(id, asked) {
  const person = people[id];
  return {
    sub: id,
    oid: oid(id),
    tid: person.tid ?? tenant,
    ver: '2.0',
    name: person.name,
    preferred_username: `${id}@contoso.example`,
    email: `${id}@contoso.example`,
    ...(person.roles ? { roles: person.roles } : {}),
    ...(contexts.includes(asked?.acrs?.value) ? { acrs: [asked.acrs.value] } : {}),
    ...(person.groups ? { groups: person.groups } : {}),
    ...(person.overage
      ? {
          _claim_names: { groups: 'src1' },
          _claim_sources: { src1: { endpoint: `${graph}/v1.0/users/${oid(id)}/getMemberObjects` } },
        }
      : {}),
  };
}

function provider(issuer) {
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: crypto.randomUUID() };
  const client = {
    client_id: 'portal-web',
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [signedOutUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    id_token_signed_response_alg: 'RS256',
    subject_type: 'pairwise',
    ...(env.APP_JWK
      ? {
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: JSON.parse(env.APP_JWK).alg ?? 'RS256',
          jwks: { keys: [JSON.parse(env.APP_JWK)] },
        }
      : { token_endpoint_auth_method: 'client_secret_post', client_secret: 'portal-web-secret-0123456789' }),
  };
  return new Provider(issuer, {
    clients: [client],
    jwks: { keys: [key] },
    cookies: { keys: [crypto.randomUUID()] },
    routes: {
      authorization: '/oauth2/v2.0/authorize',
      token: '/oauth2/v2.0/token',
      jwks: '/discovery/v2.0/keys',
      end_session: '/oauth2/v2.0/logout',
      userinfo: '/oidc/userinfo',
    },
    scopes: ['openid', 'profile', 'email'],
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: (_ctx, id, { clientId }) =>
      crypto.createHash('sha256').update(clientId + id).digest('base64url'),
    // Entra puts the claims of a scope into the ID token.
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub', 'oid', 'tid', 'ver', 'roles', 'groups', '_claim_names', '_claim_sources'],
      profile: ['name', 'preferred_username'],
      email: ['email'],
      acrs: null,
    },
    // By default a confidential client may leave PKCE out.
    pkce: { required: () => true },
    responseTypes: ['code'],
    clientBasedCORS: () => false,
    findAccount: (_ctx, id) => people[id] && { accountId: id, claims: async (_use, _scope, asked) => claimsOf(id, asked) },
    // An administrator has consented for everybody: no consent page.
    loadExistingGrant: async ({ oidc }) => {
      const known = oidc.result?.consent?.grantId ?? oidc.session.grantIdFor(oidc.client.clientId);
      if (known) return oidc.provider.Grant.find(known);
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      grant.addOIDCClaims(['acrs']);
      await grant.save();
      return grant;
    },
    features: { claimsParameter: { enabled: true }, devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    ttl: { IdToken: 3600, AccessToken: 3600, AuthorizationCode: 60, Interaction: 600, Session: 86400, Grant: 86400 },
  });
}

const server = http.createServer();
server.listen(Number(env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}${mount}/v2.0`;
  const answer = provider(issuer).callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith(`${mount}/`)) return response.writeHead(404).end();
    // Entra keeps discovery below /TENANT/v2.0 and everything else beside it.
    const path = request.url.slice(mount.length).replace(/^\/v2\.0\/\.well-known\//, '/.well-known/');
    request.originalUrl = mount + path;
    request.url = path;
    answer(request, response);
  });
  process.stdout.write(`ready ${issuer}\n`);
});

const end = () => process.exit(0);
process.on('SIGTERM', end);
process.stdin.on('end', end).resume();
