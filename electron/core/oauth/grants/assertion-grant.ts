import { decodeJwt } from 'jose';
import type { Clock } from '../../base/clock.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { atIssuer } from '../../servers/secret-binding.ts';
import type { Server } from '../../servers/server.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Companies } from '../enterprise/companies.ts';
import { identityAssertion } from '../enterprise/id-jag.ts';
import { workloadAssertion } from '../entered-secrets.ts';
import type { RefreshOutcome, TokenClient, TokenEndpointOptions } from '../model.ts';
import { repeatGrant } from '../token-endpoint/token-endpoint.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface AssertionDeps {
  readonly vault: Pick<Vault, 'readClientSecret'>;
  readonly clock: Clock;
  readonly companies: Pick<Companies, 'identity' | 'httpOf'>;
}

export interface AssertionRequest {
  readonly server: Server;
  readonly credential: Credential;
  readonly client: TokenClient;
  /** Parameters of the token request besides the assertion. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The JWT bearer grant (RFC 7523 2.1), with the workload's own assertion or one of the company's identity provider. */
export async function requestByAssertion(
  deps: AssertionDeps,
  request: AssertionRequest,
  options: TokenEndpointOptions,
): Promise<RefreshOutcome> {
  const { credential, client, parameters } = request;
  const assertion = await assertionFor(deps, request, options);
  if (!(assertion instanceof Secret)) return assertion;
  const grant = { type: jwtBearer, parameters: { ...parameters, assertion: assertion.reveal() } };
  const outcome = await repeatGrant(client, grant, options);
  if (outcome.kind !== 'rejected' || credential.grant !== 'enterprise_managed') return outcome;
  const { code, message } = outcome.error;
  const host = sanitizeExternalText(new URL(client.issuer).host);
  const refusal = `${host} did not accept the assertion of the company’s identity provider. ${message}`;
  return { ...outcome, error: new AppError(code, refusal) };
}

/** Returns an outcome instead of an assertion when the company's identity provider gave none. */
async function assertionFor(
  { vault, clock, companies }: AssertionDeps,
  { server, credential, client }: AssertionRequest,
  options: TokenEndpointOptions,
): Promise<Secret | RefreshOutcome> {
  if (credential.grant === 'enterprise_managed')
    return identityAssertion({ vault, companies, server, client, scopes: credential.requestedScopes }, options);
  const assertion = await workloadAssertion(vault, server, atIssuer(server, client.issuer, client.tokenEndpoint));
  rejectExpired(assertion, clock.now());
  return assertion;
}

/** Checked before sending, because the platform is about to replace an assertion that has expired. `now`: Unix ms. */
function rejectExpired(assertion: Secret, now: number): void {
  let expiresAt: number | undefined;
  try {
    expiresAt = decodeJwt(assertion.reveal()).exp;
  } catch {
    throw new AppError('E_BAD_INPUT', 'The assertion is not a JWT.', { field: 'secrets.assertion' });
  }
  if (expiresAt !== undefined && expiresAt * 1000 <= now)
    throw new AppError('E_TOKEN_REFUSED', 'The assertion has expired.', { sent: false });
}
