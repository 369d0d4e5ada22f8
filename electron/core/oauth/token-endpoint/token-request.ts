import * as oauth from 'oauth4webapi';
import { defined } from '../../../../shared/defined.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { redactSecrets } from '../redact-echo.ts';
import { errorWords, readErrorResponse } from '../error-response.ts';
import type { TokenVerdict, TokenClient, TokenEndpointOptions } from '../model.ts';
import { sendForm, type RequestHalf } from './form-request.ts';
import { readTokenResponse } from './token-response.ts';

const tokenTimeoutMs = 30_000;
const revocationTimeoutMs = 10_000;

/** Sends one token request and reads the response (token-response.ts). Never throws. */
export async function requestTokens(
  client: TokenClient,
  { http, signal, clock, readResponse = readTokenResponse }: TokenEndpointOptions,
  half: RequestHalf,
): Promise<TokenVerdict> {
  try {
    const options = { http, timeoutMs: tokenTimeoutMs, ...defined({ signal, clock }) };
    const { response, body, secrets } = await sendForm(client, half, options);
    return redacted(readResponse(response, clock?.now() ?? Date.now(), client.quirks?.tokensIn), body, secrets);
  } catch (error) {
    return { kind: 'unclear', fault: asAppError(error) };
  }
}

/** Adds the server's words to the verdict, with all secrets that were sent redacted. */
function redacted(verdict: TokenVerdict, form: string, secrets: readonly Secret[]): TokenVerdict {
  if (verdict.kind === 'tokens') return verdict;
  if (verdict.kind === 'unclear') {
    const words = errorWords(verdict.reason ?? {}, form, ...secrets);
    return words === '' ? verdict : { ...verdict, fault: withWords(verdict.fault, words) };
  }
  const { error, description } = verdict;
  const clean = (words: string) => redactSecrets(words, form, ...secrets);
  return { ...verdict, error: clean(error), ...defined({ description: description && clean(description) }) };
}

const withWords = ({ code, message, sent, retryAfterMs }: AppError, words: string): AppError =>
  new AppError(code, `${message} It said: ${words}`, { sent, ...defined({ retryAfterMs }) });

/** Returns whether the server confirmed the revocation. Never throws: a sign-out continues without it. */
export async function requestRevocation(
  client: TokenClient,
  token: Secret,
  hint: string,
  { http, signal, clock, onRefusal }: TokenEndpointOptions,
): Promise<boolean> {
  try {
    const { response, body, secrets } = await sendForm(
      client,
      (server, us, auth, options) =>
        oauth.revocationRequest(server, us, auth, token.reveal(), {
          ...options,
          additionalParameters: { token_type_hint: hint },
        }),
      { http, timeoutMs: revocationTimeoutMs, ...defined({ signal, clock }) },
    );
    if (response.status >= 200 && response.status < 300) return true;
    onRefusal?.(errorWords(readErrorResponse(response), body, ...secrets) || `status ${response.status}`);
    return false;
  } catch {
    return false;
  }
}
