import { z } from 'zod';
import { readJson, readText } from '../../shared/json.ts';
import { sanitizeExternalText } from '../core/base/errors.ts';
import { redactSecrets } from '../core/oauth/redact-echo.ts';
import type { Secret } from '../core/base/secret.ts';

const Said = z.object({
  error_description: z.string().nullish(),
  message: z.string().nullish(),
  detail: z.string().nullish(),
  error: z.unknown().optional(),
});

/**
 * What a server that refuses says about it, as a sentence for the error that its user reads; '' where there is nothing
 * for a person in it. A valid sign-in that is refused for want of a set-up can be put right only by those who know of
 * it. `sent`: the token or key that it was sent, which it may repeat.
 */
export function serverErrorText(body: Uint8Array, sent: Secret | undefined): string {
  const text = readText(body).trim();
  const said = redactSecrets(text.startsWith('{') ? inJson(text) : text, '', sent);
  // A web page is no sentence, and neither is a bare code.
  if (!/\S\s+\S/.test(said) || said.startsWith('<')) return '';
  // What goes on for long without a blank may be another form of it.
  return ` The server says: "${sanitizeExternalText(said.replaceAll(/\S{40,}/g, '...'), 200)}".`;
}

function inJson(text: string): string {
  const said = Said.safeParse(readJson(text)).data;
  if (!said) return '';
  const inner = Said.safeParse(said.error).data;
  const code = typeof said.error === 'string' ? said.error : undefined;
  return said.error_description ?? said.message ?? said.detail ?? inner?.message ?? code ?? '';
}
