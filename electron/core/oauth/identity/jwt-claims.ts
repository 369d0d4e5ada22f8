import { decodeJwt, type JWTPayload } from 'jose';
import { sanitizeExternalText } from '../../base/errors.ts';

/** Of one sign-in alone, and nothing that a person can read. */
const unshown: ReadonlySet<string> = new Set(['nonce', 'at_hash', 'c_hash', 's_hash', 'sid']);

/** The claims of a JWT; undefined when it is none (opaque, encrypted). Nothing is verified. */
export function decodedClaims(jwt: string): JWTPayload | undefined {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}

/** Claims as text for display: at most 50, each on one line. */
export function displayClaims(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const shown = Object.entries(claims)
    .filter(([name]) => !unshown.has(name))
    .slice(0, 50);
  return Object.fromEntries(
    shown.map(([name, value]) => [
      sanitizeExternalText(name, 60),
      sanitizeExternalText(typeof value === 'string' ? value : asJson(value), 300),
    ]),
  );
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deep)';
  }
}
