import { z } from 'zod';
import { readJson, readText } from '../../shared/json.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';
import { redactSecrets } from '../core/oauth/redact-echo.ts';
import type { Secret } from '../core/base/secret.ts';

const ErrorBody = z.object({
  error_description: z.string().nullish(),
  message: z.string().nullish(),
  detail: z.string().nullish(),
  error: z.unknown().optional(),
});

/**
 * The explanation in a refusal, as a sentence after a space to append to an error; '' if the body has none. It often
 * names a missing set-up that only the user can do. `sent`: the token or key of the request, which the server may
 * repeat.
 */
export function serverErrorText(body: Uint8Array, sent: Secret | undefined): string {
  const raw = readText(body).trim();
  const text = redactSecrets(raw.startsWith('{') ? textInJson(raw) : raw, '', sent);
  // A bare code or a web page is not an explanation.
  if (!/\S\s+\S/.test(text) || text.startsWith('<')) return '';
  // A long word may be the secret in another encoding.
  return ` The server says: "${sanitizeExternalText(text.replaceAll(/\S{40,}/g, '...'), 200)}".`;
}

function textInJson(json: string): string {
  const body = ErrorBody.safeParse(readJson(json)).data;
  if (!body) return '';
  const inner = ErrorBody.safeParse(body.error).data;
  const code = typeof body.error === 'string' ? body.error : undefined;
  return body.error_description ?? body.message ?? body.detail ?? inner?.message ?? code ?? '';
}
