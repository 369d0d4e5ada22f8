import { AppError } from '../../errors.ts';
import { addressPolicy } from '../../http/address.ts';
import type { Http, HttpAnswer } from '../../http/client.ts';
import type { Secret } from '../../secret.ts';
import type { Server } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { findAuthorizationServer } from '../authorization-server.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import { startRun } from '../metadata.ts';
import { readTokenAnswer, type TokenVerdict } from '../token-answer.ts';
import { repeatGrant, type RefreshOutcome, type TokenClient, type TokenEndpointOptions } from '../token-endpoint.ts';
import { enteredSecret, neededSecret } from './entered.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const idToken = 'urn:ietf:params:oauth:token-type:id_token';
const discoveryMs = 15_000;

export interface IdentityRequest {
  readonly vault: Pick<Vault, 'readClientSecret'>;
  readonly server: Server;
  /** At the MCP server's authorization server. */
  readonly client: TokenClient;
  readonly scopes: readonly string[];
}

/**
 * Enterprise-managed authorization (SEP-990), first half: the company's identity provider turns the user's ID token into
 * an assertion for one authorization server and one resource (RFC 8693 2.1, ID-JAG). An outcome instead of an assertion
 * is why there is none. Throws E_STORE_*, E_BAD_INPUT and what discovery throws.
 */
export async function identityAssertion({ vault, server, client, scopes }: IdentityRequest, options: TokenEndpointOptions): Promise<Secret | RefreshOutcome> {
  const subject = await neededSecret(vault, server, 'enterpriseIdToken');
  const provider = await identityProvider(vault, server, client, options);
  const parameters = {
    requested_token_type: idJag,
    subject_token: subject.reveal(),
    subject_token_type: idToken,
    audience: client.issuer,
    resource: client.resource,
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
  };
  // The certificate and the DPoP key of the server are not for the company.
  const http: Http = { ...options.http, fetch: (request) => options.http.fetch({ ...request, forTokens: false }) };
  const outcome = await repeatGrant(provider, { type: tokenExchange, parameters }, { ...options, http, readAnswer });
  return outcome.kind === 'refreshed' ? outcome.tokens.accessToken : outcome;
}

/** Who we are at the company's identity provider. */
async function identityProvider(vault: Pick<Vault, 'readClientSecret'>, server: Server, { resource }: TokenClient, { http, signal }: TokenEndpointOptions): Promise<TokenClient> {
  const { enterprise } = server.settings;
  if (!enterprise) throw new AppError('E_BAD_INPUT', `The setting enterprise is missing: where the company signs people in, and as which client.`, { field: 'settings.enterprise' });
  const { issuer, clientId } = enterprise;
  const allow = await addressPolicy(http, checkEndpoint('issuer of the company', issuer));
  const metadata = enterprise.tokenEndpoint === undefined ? (await findAuthorizationServer(startRun(http, allow, discoveryMs, signal), [issuer], {})).metadata : undefined;
  const tokenEndpoint = checkEndpoint('token_endpoint of the company', enterprise.tokenEndpoint ?? metadata?.token_endpoint ?? '').href;
  const clientSecret = await enteredSecret(vault, server, 'enterpriseClientSecret');
  const methods = metadata?.token_endpoint_auth_methods_supported;
  const withSecret = methods && !methods.includes('client_secret_basic') && methods.includes('client_secret_post') ? 'client_secret_post' : 'client_secret_basic';
  return { issuer, tokenEndpoint, clientId, resource, allow, clientAuth: clientSecret ? withSecret : 'none', ...(clientSecret ? { clientSecret } : {}) };
}

/**
 * An ID-JAG comes in the place of an access token, with `token_type` "N_A" (RFC 8693 2.2.1). Whatever else the provider
 * gives is no assertion: an access token must not be sent on to another server.
 */
function readAnswer(answer: HttpAnswer, now: number): TokenVerdict {
  const verdict = readTokenAnswer({ ...answer, body: withoutType(answer.body) }, now);
  if (verdict.kind !== 'tokens' || issuedType(answer.body) === idJag) return verdict;
  return { kind: 'unclear', fault: new AppError('E_TOKEN_RESPONSE', 'The identity provider gave no identity assertion (ID-JAG).') };
}

function issuedType(body: Buffer): unknown {
  return parsed(body)?.['issued_token_type'];
}

function withoutType(body: Buffer): Buffer {
  const { token_type: _type, ...rest } = parsed(body) ?? {};
  return parsed(body) ? Buffer.from(JSON.stringify(rest)) : body;
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
