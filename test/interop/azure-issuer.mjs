import { randomBytes, randomUUID } from 'node:crypto';
import { redirectPath } from '../../electron/core/oauth/authorization/loopback-server.ts';
import { signingKey } from '../fixtures/authorization-configuration.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startHttpsProvider } from '../fixtures/https-provider.ts';

/**
 * oidc-provider, configured to look like Microsoft Entra ID to Azure's server and its clients: https, a tenant in the
 * path, metadata only at the OpenID Connect address and without PKCE, no registration, `resource` rejected, tokens
 * whose `aud` is the client ID of the server's own application.
 * @param {{ accessTokenSeconds: number }} options
 * @returns what the server and Keybridge have to be told, and counts of refreshes, with the scopes in them and without
 */
export async function startAzureIssuer(options) {
  const [tenant, serverClientId, clientId] = [randomUUID(), randomUUID(), randomUUID()];
  const scope = `${serverClientId}/Mcp.Tools.ReadWrite`;
  const { cert, key } = selfSigned(['localhost']);
  const counts = { refreshes: 0, refreshesWithoutScope: 0 };
  const issuer = await startHttpsProvider({
    tls: { cert, key },
    path: `/${tenant}/v2.0`,
    prepare: (provider) => {
      provider.use(hideWhatEntraLacks);
      provider.on('grant.success', ({ oidc: { params } }) => {
        if (params.grant_type !== 'refresh_token') return;
        if (String(params.scope).split(' ').includes(scope)) counts.refreshes += 1;
        else counts.refreshesWithoutScope += 1;
      });
    },
    configure: (at, adapter) => ({
      adapter,
      ...configuration({ at, tenant, serverClientId, clientId, scope, ...options }),
    }),
  });
  return { issuer: issuer.issuer, tenant, serverClientId, clientId, cert, counts, close: () => issuer.close() };
}

async function hideWhatEntraLacks(ctx, next) {
  await next();
  if (ctx.path === '/.well-known/openid-configuration') delete ctx.body.code_challenge_methods_supported;
  if (ctx.path === '/.well-known/oauth-authorization-server') ctx.status = 404;
}

function configuration({ at, tenant, serverClientId, clientId, scope, accessTokenSeconds }) {
  // Entra ID derives it from the scopes, and rejects a client that names another one.
  const resource = `urn:application:${serverClientId}`;
  return {
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    clients: [
      {
        client_id: clientId,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`http://127.0.0.1${redirectPath(at)}`],
      },
    ],
    clientAuthMethods: ['none'],
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access'],
    pkce: { required: () => true },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_ctx, { uid }) => `${new URL(at).pathname}/interaction/${uid}` },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    extraTokenClaims: () => ({ scp: 'Mcp.Tools.ReadWrite', tid: tenant, oid: randomUUID(), ver: '2.0' }),
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      IdToken: 600,
      RefreshToken: 3_600,
      Interaction: 600,
      Session: 600,
      Grant: 3_600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: async (_ctx, asked) => {
          const { errors } = await import('oidc-provider');
          if (asked !== resource)
            throw new errors.InvalidTarget('AADSTS9010010: the resource does not match the scopes');
          return {
            scope,
            audience: serverClientId,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
            accessTokenTTL: accessTokenSeconds,
          };
        },
      },
    },
  };
}
