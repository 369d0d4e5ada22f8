import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { errorWords, isRefusal, readErrorResponse } from '../error-response.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import { isPassing, pause, tokensOf } from './token-endpoint.ts';
import { tokenParameters } from '../providers/quirks.ts';
import { sendForm } from './form-request.ts';
import { requestTokens } from './token-request.ts';
import type { Clock } from '../../base/clock.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { Tokens, TokenClient, TokenEndpointOptions } from '../model.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** What a person needs to sign in on another device (RFC 8628 3.2). */
export interface DeviceCode {
  readonly deviceCode: Secret;
  readonly userCode: string;
  /** The page; with the code in it where the server gave such an address. */
  readonly url: URL;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

const Answer = z.object({
  device_code: z.string().min(1),
  user_code: z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/),
  verification_uri: z.string(),
  verification_uri_complete: z.string().nullish(),
  expires_in: z.coerce
    .number()
    .positive()
    .max(24 * 60 * 60),
  interval: z.coerce.number().min(0).max(300).nullish(),
});

const requestMs = 15_000;
/** RFC 8628 3.2 and 3.5. */
const usualIntervalMs = 5_000;
const slowDownMs = 5_000;
const longestIntervalMs = 60_000;

type Options = TokenEndpointOptions & { readonly clock: Clock };

/**
 * Asks for a device code. Throws E_METADATA_INVALID, E_TOKEN_REFUSED, E_CLIENT_REFUSED, E_ENDPOINT_REFUSED and the
 * faults of Http.
 */
export async function deviceCode(
  client: TokenClient,
  endpoint: unknown,
  scopes: readonly string[],
  { http, clock, signal }: Options,
): Promise<DeviceCode> {
  if (typeof endpoint !== 'string')
    throw new AppError(
      'E_METADATA_INVALID',
      `${sanitizeExternalText(new URL(client.issuer).host)} does not support sign-in with a device code.`,
    );
  const parameters = { ...tokenParameters(client), ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}) };
  const { response } = await sendForm(
    client,
    (server, us, auth, options) => oauth.deviceAuthorizationRequest(server, us, auth, parameters, options),
    {
      http,
      clock,
      timeoutMs: requestMs,
      metadata: { device_authorization_endpoint: checkEndpoint('device_authorization_endpoint', endpoint).href },
      ...defined({ signal }),
    },
  );
  return read(response, client);
}

function read(answer: HttpResponse, client: TokenClient): DeviceCode {
  const found = Answer.safeParse(readJson(answer.body));
  if (answer.status >= 300 || !found.success) throw refusal(answer, client);
  const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } = found.data;
  return {
    deviceCode: new Secret(device_code),
    userCode: user_code,
    url: checkEndpoint('verification_uri', verification_uri_complete ?? verification_uri),
    expiresInMs: expires_in * 1000,
    intervalMs: Math.max(1_000, interval === undefined || interval === null ? usualIntervalMs : interval * 1000),
  };
}

/**
 * Asks until the person has decided, as often as the server allows (RFC 8628 3.5). Throws E_SIGN_IN_DENIED,
 * E_SIGN_IN_TIMEOUT, E_CANCELLED, and as a code exchange does.
 */
export async function pollForTokens(client: TokenClient, code: DeviceCode, options: Options): Promise<Tokens> {
  let { intervalMs } = code;
  for (let waitedMs = 0; waitedMs + intervalMs <= code.expiresInMs;) {
    await pause(options.clock, intervalMs, options.signal);
    waitedMs += intervalMs;
    const parameters = { ...tokenParameters(client), device_code: code.deviceCode.reveal() };
    const verdict = await requestTokens(client, options, (server, us, auth, given) =>
      oauth.genericTokenEndpointRequest(server, us, auth, deviceGrant, parameters, given),
    );
    if (verdict.kind === 'error' && verdict.error === 'authorization_pending') continue;
    if (verdict.kind === 'error' && verdict.error === 'slow_down') intervalMs += slowDownMs;
    else if (verdict.kind === 'error' && verdict.error === 'access_denied')
      throw new AppError('E_SIGN_IN_DENIED', 'The sign-in was refused on the other device.');
    else if (verdict.kind === 'error' && verdict.error === 'expired_token') throw tooLate();
    else if (
      verdict.kind === 'unclear' &&
      !verdict.refused &&
      verdict.fault.code !== 'E_CANCELLED' &&
      verdict.fault.code !== 'E_TOKEN_RESPONSE'
    )
      intervalMs = Math.min(intervalMs * 2, longestIntervalMs);
    else if (verdict.kind === 'error' && isPassing(verdict))
      intervalMs = Math.min(Math.max(intervalMs * 2, verdict.retryAfterMs ?? 0), longestIntervalMs);
    else return tokensOf(verdict);
  }
  throw tooLate();
}

const tooLate = () => new AppError('E_SIGN_IN_TIMEOUT', 'The code was not entered in time.');

function refusal(answer: HttpResponse, { clientSecret }: TokenClient): AppError {
  const { status } = answer;
  const said = readErrorResponse(answer);
  if (said.error === undefined && !isRefusal(status))
    return new AppError('E_TOKEN_RESPONSE', `The device authorization response is invalid (status ${status}).`);
  const code =
    said.error === 'invalid_client' || said.error === 'unauthorized_client' ? 'E_CLIENT_REFUSED' : 'E_TOKEN_REFUSED';
  return new AppError(
    code,
    `The authorization server issued no device code (${errorWords(said, '', clientSecret) || `status ${status}`}).`,
  );
}
