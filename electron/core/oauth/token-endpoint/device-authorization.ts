import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { errorWords, isRefusal, readErrorResponse } from '../error-response.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import { isTemporary, pause, tokensOf } from './token-endpoint.ts';
import { tokenParameters } from '../providers/quirks.ts';
import { sendForm } from './form-request.ts';
import { requestTokens } from './token-request.ts';
import type { Clock } from '../../base/clock.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { Tokens, TokenClient, TokenEndpointOptions, TokenVerdict } from '../model.ts';

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** The response of the device authorization endpoint (RFC 8628 3.2). */
export interface DeviceCode {
  readonly deviceCode: Secret;
  readonly userCode: string;
  /** The verification page; with the code in it if the server gave such an address. */
  readonly url: URL;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

const DeviceResponse = z.object({
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

const timeoutMs = 15_000;
/** RFC 8628 3.2 and 3.5. */
const defaultIntervalMs = 5_000;
const slowDownMs = 5_000;
const maxIntervalMs = 60_000;

type Options = TokenEndpointOptions & { readonly clock: Clock };

/**
 * Requests a device code (RFC 8628 3.1). `endpoint`: as the metadata has it. Throws E_METADATA_INVALID,
 * E_TOKEN_REFUSED, E_CLIENT_REFUSED, E_TOKEN_RESPONSE, E_ENDPOINT_REFUSED and the faults of Http.
 */
export async function deviceCode(
  client: TokenClient,
  endpoint: unknown,
  scopes: readonly string[],
  { http, clock, signal }: Options,
): Promise<DeviceCode> {
  if (typeof endpoint !== 'string') {
    const host = sanitizeExternalText(new URL(client.issuer).host);
    throw new AppError('E_METADATA_INVALID', `${host} does not support sign-in with a device code.`);
  }
  const scope = scopes.length > 0 ? scopes.join(' ') : undefined;
  const parameters: Record<string, string> = { ...tokenParameters(client), ...defined({ scope }) };
  const { response } = await sendForm(
    client,
    (server, us, auth, options) => oauth.deviceAuthorizationRequest(server, us, auth, parameters, options),
    {
      http,
      clock,
      timeoutMs,
      metadata: { device_authorization_endpoint: checkEndpoint('device_authorization_endpoint', endpoint).href },
      ...defined({ signal }),
    },
  );
  return read(response, client);
}

function read(response: HttpResponse, client: TokenClient): DeviceCode {
  const parsed = DeviceResponse.safeParse(readJson(response.body));
  if (response.status >= 300 || !parsed.success) throw refusal(response, client);
  const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } = parsed.data;
  return {
    deviceCode: new Secret(device_code),
    userCode: user_code,
    url: checkEndpoint('verification_uri', verification_uri_complete ?? verification_uri),
    expiresInMs: expires_in * 1000,
    intervalMs: Math.max(1_000, interval === undefined || interval === null ? defaultIntervalMs : interval * 1000),
  };
}

/**
 * Polls the token endpoint at the interval of the server until the user has decided (RFC 8628 3.5). Throws
 * E_SIGN_IN_DENIED, E_SIGN_IN_TIMEOUT, E_CANCELLED, and what `exchangeCode` throws.
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
    const next = nextInterval(verdict, intervalMs);
    if (next === undefined) return tokensOf(verdict);
    intervalMs = next;
  }
  throw expired();
}

/** The interval until the next poll, in ms; undefined when the verdict is final. Throws E_SIGN_IN_*. */
function nextInterval(verdict: TokenVerdict, intervalMs: number): number | undefined {
  if (verdict.kind === 'tokens') return undefined;
  const slower = Math.min(intervalMs * 2, maxIntervalMs);
  if (verdict.kind === 'unclear') {
    const { code } = verdict.fault;
    return verdict.refused || code === 'E_CANCELLED' || code === 'E_TOKEN_RESPONSE' ? undefined : slower;
  }
  switch (verdict.error) {
    case 'authorization_pending':
      return intervalMs;
    case 'slow_down':
      return intervalMs + slowDownMs;
    case 'access_denied':
      throw new AppError('E_SIGN_IN_DENIED', 'The sign-in was refused on the other device.');
    case 'expired_token':
      throw expired();
    default:
      return isTemporary(verdict) ? Math.min(Math.max(slower, verdict.retryAfterMs ?? 0), maxIntervalMs) : undefined;
  }
}

const expired = () => new AppError('E_SIGN_IN_TIMEOUT', 'The code was not entered in time.');

function refusal(response: HttpResponse, { clientSecret }: TokenClient): AppError {
  const { status } = response;
  const reason = readErrorResponse(response);
  if (reason.error === undefined && !isRefusal(status)) {
    const message = `The device authorization response is invalid (status ${status}).`;
    return new AppError('E_TOKEN_RESPONSE', message);
  }
  const ofClient = reason.error === 'invalid_client' || reason.error === 'unauthorized_client';
  const words = errorWords(reason, '', clientSecret) || `status ${status}`;
  return new AppError(
    ofClient ? 'E_CLIENT_REFUSED' : 'E_TOKEN_REFUSED',
    `The authorization server issued no device code (${words}).`,
  );
}
