import type { ServerSettings } from '../../../../shared/model.ts';
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
import { atCompany, findIdentityProvider } from './identity-provider.ts';
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
  /** Where the ID token comes from, unless it was entered by hand. */
  readonly companies: Pick<Companies, 'identity' | 'httpOf'>;
  readonly server: Server;
  /** At the MCP server's authorization server. */
  readonly client: TokenClient;
  readonly scopes: readonly string[];
}

/**
 * Enterprise-managed authorization (SEP-990), first half: the company's identity provider turns the user's ID token
 * into an assertion for one authorization server and one resource (RFC 8693 2.1, ID-JAG). An outcome instead of an
 * assertion is why there is none. Throws E_STORE_*, E_BAD_INPUT, E_SECRET_AGAIN, E_SIGN_IN_AGAIN when the person has to
 * sign in at the company, and what discovery throws.
 */
export async function identityAssertion(
  request: IdentityRequest,
  given: TokenEndpointOptions,
): Promise<Secret | RefreshOutcome> {
  const { companies, server, vault } = request;
  // What was entered for the server (authorities, certificate, DPoP key) is not for the company.
  const options = { ...given, http: companies.httpOf(server) };
  const { enterprise } = server.settings;
  if (!enterprise)
    throw new AppError(
      'E_BAD_INPUT',
      'The setting enterprise is missing. It names the company’s identity provider and the client ID to use there.',
      { field: 'settings.enterprise' },
    );
  if (!companyOf(server))
    return answerOf(
      await exchange(
        request,
        await neededSecret(vault, server, 'enterpriseIdToken', atCompanyOf(server)),
        await identityProvider(request, enterprise, options),
        options,
      ),
    );

  const signal = options.signal ? { signal: options.signal } : {};
  const { idToken, client, renewable } = await companies.identity(server, signal);
  const first = await exchange(request, idToken, atEndpoint(client, server), options);
  if (!maySayStale(first)) return answerOf(first);
  const renewed = await companies.identity(server, { ...signal, refused: idToken }).catch((error: unknown) => {
    // It has just been renewed: it is not the token that the provider minds.
    if (error instanceof AppError && error.code === 'E_SERVER_REFUSED') return undefined;
    throw renewable ? error : new AppError('E_SIGN_IN_AGAIN', first.error.message);
  });
  return answerOf(
    renewed ? await exchange(request, renewed.idToken, atEndpoint(renewed.client, server), options) : first,
  );
}

/** RFC 8693 2.2.2: so a subject token is refused that was good when it was issued. */
const maySayStale = (outcome: RefreshOutcome): outcome is Extract<RefreshOutcome, { kind: 'rejected' }> =>
  outcome.kind === 'rejected' &&
  ['invalid_grant', 'invalid_request', 'invalid_token'].includes(outcome.oauthError ?? '');

const answerOf = (outcome: RefreshOutcome): Secret | RefreshOutcome =>
  outcome.kind === 'refreshed' ? outcome.tokens.accessToken : outcome;

function atEndpoint(client: TokenClient, { settings }: Server): TokenClient {
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
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
  };
  const outcome = await repeatGrant(provider, { type: tokenExchange, parameters }, { ...options, readResponse });
  if (outcome.kind === 'refreshed') return outcome;
  if (outcome.kind !== 'rejected') return { ...outcome, error: atCompany(outcome.error, provider.issuer) };
  const { code, message } = outcome.error;
  const refusal = new AppError(
    code,
    `It issued no assertion for ${sanitizeExternalText(new URL(client.issuer).host)}. ${message} ` +
      'Ask your administrator whether you may use that server with Keybridge.',
  );
  return { ...outcome, error: atCompany(refusal, provider.issuer) };
}

/** Who we are at the company's identity provider, where the ID token was entered by hand. */
async function identityProvider(
  { vault, server, client }: IdentityRequest,
  enterprise: NonNullable<ServerSettings['enterprise']>,
  { http, signal }: TokenEndpointOptions,
): Promise<TokenClient> {
  const { issuer, clientId, tokenEndpoint: entered } = enterprise;
  const found =
    entered === undefined ? await findIdentityProvider(http, issuer, knownNetwork(server, issuer), signal) : undefined;
  const hosts = found && endpointHosts(found.metadata, 'none');
  // An endpoint that the user entered needs no question.
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
 * An ID-JAG comes in the place of an access token, with `token_type` "N_A" (RFC 8693 2.2.1). Whatever else the provider
 * gives is no assertion: an access token must not be sent on to another server.
 */
function readResponse(answer: HttpResponse, now: number): TokenVerdict {
  const verdict = readTokenResponse({ ...answer, body: withoutType(answer.body) }, now);
  if (verdict.kind !== 'tokens' || issuedType(answer.body) === idJag) return verdict;
  return {
    kind: 'unclear',
    fault: new AppError('E_TOKEN_RESPONSE', 'The identity provider issued no identity assertion (ID-JAG).'),
  };
}

function issuedType(body: Buffer): unknown {
  return readJsonObject(body)?.['issued_token_type'];
}

function withoutType(body: Buffer): Buffer {
  const json = readJsonObject(body);
  if (!json) return body;
  const { token_type: _type, ...rest } = json;
  try {
    return Buffer.from(JSON.stringify(rest));
  } catch {
    // Nested too deep to be written again: refused for its type.
    return body;
  }
}
