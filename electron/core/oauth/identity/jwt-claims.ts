import { decodeJwt, type JWTPayload } from 'jose';
import { sanitizeExternalText } from '../../base/errors.ts';

/** Claims that belong to one sign-in and mean nothing to a person. */
const hiddenClaims: ReadonlySet<string> = new Set(['nonce', 'at_hash', 'c_hash', 's_hash', 'sid']);

/** Returns the claims of a JWT, or undefined for an opaque or encrypted token. Verifies nothing. */
export function decodedClaims(jwt: string): JWTPayload | undefined {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}

/** Returns claims as text for display: at most 50, each on one line. */
export function displayClaims(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const shown = Object.entries(claims)
    .filter(([name]) => !hiddenClaims.has(name))
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
