import { defined } from '../../../../shared/defined.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';
import { readJsonObject } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { findNetwork } from '../../http/network.ts';
import type { Secret } from '../../base/secret.ts';
import { atCompanyOf } from '../../servers/secret-binding.ts';
import { knownNetwork } from '../../servers/networks.ts';
import type { Vault } from '../../vault/credentials.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import { companyClientAuth } from './company-sign-in.ts';
import { companyOf } from './company.ts';
import type { Companies } from './companies.ts';
import { settingMissing } from './company-token.ts';
import { asCompanyError, findIdentityProvider } from './identity-provider.ts';
import { endpointHosts, needsConfirmation, unconfirmed } from '../authorization/endpoint-hosts.ts';
import { readTokenResponse } from '../token-endpoint/token-response.ts';
import { clientAtServer } from '../token-endpoint/token-client.ts';
import { repeatGrant } from '../token-endpoint/token-endpoint.ts';
import { enteredSecret, neededSecret } from '../entered-secrets.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { TokenVerdict, RefreshOutcome, TokenClient, TokenEndpointOptions } from '../model.ts';
import type { Server } from '../../servers/server.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token';

export interface IdentityRequest {
  readonly vault: Pick<Vault, 'readClientSecret'>;
  /** The source of the ID token, unless it was entered by hand. */
  readonly companies: Pick<Companies, 'identity' | 'httpOf'>;
  readonly server: Server;
  /** Our client at the MCP server's authorization server. */
  readonly client: TokenClient;
  readonly scopes: readonly string[];
}

/**
 * The first step of enterprise-managed authorization (SEP-990): exchanges the user's ID token at the company's identity
 * provider for an assertion (ID-JAG) for one authorization server and one resource (RFC 8693 2.1). Returns the
 * assertion or, if the exchange failed, its outcome. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN, E_SIGN_IN_AGAIN if
 * the user has to sign in at the company, and the errors of discovery.
 */
export async function identityAssertion(
  request: IdentityRequest,
  given: TokenEndpointOptions,
): Promise<Secret | RefreshOutcome> {
  const { companies, server, vault } = request;
  // Not the server's own client: its certificate authorities, certificate and DPoP key are not for the company.
  const options = { ...given, http: companies.httpOf(server) };
  const { enterprise } = server.settings;
  if (!enterprise) throw settingMissing();
  if (!companyOf(server)) {
    const entered = await neededSecret(vault, server, 'enterpriseIdToken', atCompanyOf(server));
    return assertionIn(await exchange(request, entered, await identityProvider(request, enterprise, options), options));
  }

  const signal = defined({ signal: options.signal });
  const { idToken, client, renewable } = await companies.identity(server, signal);
  const first = await exchange(request, idToken, withConfiguredEndpoint(client, server), options);
  if (!isTokenRejected(first)) return assertionIn(first);
  const renewed = await companies.identity(server, { ...signal, rejected: idToken }).catch((error: unknown) => {
    // The ID token is new, so the rejection was not about the token.
    if (error instanceof AppError && error.code === 'E_SERVER_REFUSED') return undefined;
    throw renewable ? error : new AppError('E_SIGN_IN_AGAIN', first.error.message);
  });
  if (!renewed) return assertionIn(first);
  return assertionIn(await exchange(request, renewed.idToken, withConfiguredEndpoint(renewed.client, server), options));
}

/** Whether the provider may have rejected the ID token itself (RFC 8693 2.2.2), for example an expired one. */
const isTokenRejected = (outcome: RefreshOutcome): outcome is Extract<RefreshOutcome, { kind: 'rejected' }> =>
  outcome.kind === 'rejected' &&
  ['invalid_grant', 'invalid_request', 'invalid_token'].includes(outcome.oauthError ?? '');

/** An assertion takes the place of the access token (RFC 8693 2.2.1). */
const assertionIn = (outcome: RefreshOutcome): Secret | RefreshOutcome =>
  outcome.kind === 'refreshed' ? outcome.tokens.accessToken : outcome;

function withConfiguredEndpoint(client: TokenClient, { settings }: Server): TokenClient {
  const endpoint = settings.enterprise?.tokenEndpoint;
  return endpoint === undefined
    ? client
    : { ...client, tokenEndpoint: checkEndpoint('token_endpoint of the company', endpoint).href };
}

async function exchange(
  { client, scopes }: IdentityRequest,
  idToken: Secret,
  provider: TokenClient,
  options: TokenEndpointOptions,
): Promise<RefreshOutcome> {
  const parameters = {
    requested_token_type: idJag,
    subject_token: idToken.reveal(),
    subject_token_type: idTokenType,
    audience: client.issuer,
    resource: client.resource,
    ...defined({ scope: scopes.join(' ') || undefined }),
  };
  const outcome = await repeatGrant(provider, { type: tokenExchange, parameters }, { ...options, readResponse });
  if (outcome.kind === 'refreshed') return outcome;
  if (outcome.kind !== 'rejected') return { ...outcome, error: asCompanyError(outcome.error, provider.issuer) };
  const { code, message } = outcome.error;
  const refusal = new AppError(
    code,
    `It issued no assertion for ${sanitizeExternalText(new URL(client.issuer).host)}. ${message} ` +
      'Ask your administrator whether you may use that server with Keybridge.',
  );
  return { ...outcome, error: asCompanyError(refusal, provider.issuer) };
}

/** Our client at the company's identity provider, if the ID token was entered by hand. */
async function identityProvider(
  { vault, server, client }: IdentityRequest,
  enterprise: NonNullable<ServerSettings['enterprise']>,
  { http, signal }: TokenEndpointOptions,
): Promise<TokenClient> {
  const { issuer, clientId, tokenEndpoint: entered } = enterprise;
  const found =
    entered === undefined ? await findIdentityProvider(http, issuer, knownNetwork(server, issuer), signal) : undefined;
  const hosts = found && endpointHosts(found.metadata, 'none');
  // A token endpoint that the user entered needs no confirmation.
  if (hosts && needsConfirmation(hosts, { named: issuer, preset: undefined, confirmed: server.confirmedHosts }))
    throw unconfirmed(hosts, 'If that is correct, name the token endpoint in the setting enterprise.');
  const tokenEndpoint = checkEndpoint(
    'token_endpoint of the company',
    entered ?? found?.metadata.token_endpoint ?? '',
  ).href;
  const allow = found?.allow ?? (await findNetwork(http, new URL(tokenEndpoint), knownNetwork(server, tokenEndpoint)));
  const clientSecret = await enteredSecret(vault, server, 'enterpriseClientSecret', atCompanyOf(server));
  return clientAtServer(
    { issuer, token_endpoint: tokenEndpoint },
    {
      clientId,
      clientSecret,
      clientAuth: companyClientAuth(found?.metadata, clientSecret),
      resource: client.resource,
      quirks: undefined,
      allow,
    },
  );
}

/**
 * An ID-JAG takes the place of the access token, with `token_type` "N_A" (RFC 8693 2.2.1). Anything else is rejected:
 * an access token must not be sent to another server.
 */
function readResponse(response: HttpResponse, now: number): TokenVerdict {
  const verdict = readTokenResponse({ ...response, body: withoutTokenType(response.body) }, now);
  if (verdict.kind !== 'tokens' || issuedType(response.body) === idJag) return verdict;
  return {
    kind: 'unclear',
    fault: new AppError('E_TOKEN_RESPONSE', 'The identity provider issued no identity assertion (ID-JAG).'),
  };
}

function issuedType(body: Buffer): unknown {
  return readJsonObject(body)?.['issued_token_type'];
}

function withoutTokenType(body: Buffer): Buffer {
  const json = readJsonObject(body);
  if (!json) return body;
  const { token_type: _type, ...rest } = json;
  try {
    return Buffer.from(JSON.stringify(rest));
  } catch {
    // Nested too deep to be serialized. Unchanged, it is rejected for its token type.
    return body;
  }
}
