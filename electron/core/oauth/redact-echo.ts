import type { Secret } from '../base/secret.ts';
import { formsOf, partsOf, shortestSecret } from './secret-forms.ts';

/** Form parameters that must not appear in an error (RFC 6749, 7521, 7636, 8628, 8693). */
const secretParameters = [
  'code',
  'code_verifier',
  'refresh_token',
  'device_code',
  'client_secret',
  'client_assertion',
  'assertion',
  'subject_token',
  'token',
  'state',
];

/**
 * Redacts the secrets of a request from the words of its response, because servers repeat what they receive, and errors
 * are shown. `form`: the body that was sent. `others`: secrets in headers; parts between spaces are redacted too.
 */
export function redactSecrets(words: string, form: string, ...others: readonly (Secret | undefined)[]): string {
  const parameters = new URLSearchParams(form);
  const inHeaders = others.flatMap((secret) => (secret ? partsOf(secret.reveal()) : []));
  const sent = [...secretParameters.flatMap((name) => parameters.getAll(name)), ...inHeaders].filter(
    ({ length }) => length >= shortestSecret,
  );
  // Longest first, because one may contain another. Some servers repeat the form without decoding it.
  const all = sent.flatMap((secret) => [inForm(secret), ...formsOf(secret)]).sort((a, b) => b.length - a.length);
  return all.reduce((text, secret) => text.replaceAll(secret, '...'), words);
}

const inForm = (text: string): string => new URLSearchParams({ a: text }).toString().slice(2);
