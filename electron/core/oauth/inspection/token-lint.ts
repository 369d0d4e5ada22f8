import type { JWTPayload } from 'jose';
import { sanitizeExternalText } from '../../base/errors.ts';
import { covers } from '../discovery/protected-resource.ts';

/** What is known of an access token besides its own words. Times are Unix ms. */
export interface TokenContext {
  /** The MCP server's address. */
  readonly url: string;
  readonly resource: string;
  readonly issuer: string;
  /** Another issuer that its access tokens may name, by the preset. */
  readonly tokenIssuer?: string;
  readonly grantedScopes: readonly string[];
  readonly receivedAt: number;
  /** When it ends, as the token answer said. */
  readonly expiresAt?: number;
  readonly now: number;
}

const skewMs = 60_000;
/** How much longer than announced a token may live before that is worth a word. */
const graceMs = 10 * 60 * 1000;
/** These are for the authorization server, and seldom named in an access token. */
const ownScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);

/**
 * What looks odd in a JWT access token (RFC 9068 2.2, RFC 8707 3), as sentences for a person. Nothing is refused for
 * it: the token is the server's business, and only a hint to its user.
 */
export function lintAccessToken(claims: JWTPayload, context: TokenContext): string[] {
  return [
    ...audience(claims, context),
    ...issuer(claims, context),
    ...expiry(claims, context),
    ...scopes(claims, context),
  ];
}

function audience({ aud }: JWTPayload, { url, resource }: TokenContext): string[] {
  const audiences = texts(aud);
  if (audiences.length === 0) return ['The access token does not say which server it is for.'];
  const fits = audiences.some((one) => one === resource || (URL.canParse(one) && covers(one, new URL(url))));
  return fits
    ? []
    : [
        `The access token is for another audience than this server: ${sanitizeExternalText(audiences.join(', '), 120)}.`,
      ];
}

/** A text, or those of a list; the server may have written anything. */
const texts = (value: unknown): string[] => [value].flat().filter((one) => typeof one === 'string');

function issuer({ iss }: JWTPayload, context: TokenContext): string[] {
  if (iss === undefined || iss === context.issuer || iss === context.tokenIssuer) return [];
  return [
    `The access token was issued by ${sanitizeExternalText(iss, 120)}, and the sign-in was at ${sanitizeExternalText(context.issuer, 120)}.`,
  ];
}

function expiry({ exp }: JWTPayload, { receivedAt, expiresAt, now }: TokenContext): string[] {
  if (typeof exp !== 'number') return ['The access token has no end of its own.'];
  const endsAt = exp * 1000;
  if (endsAt + skewMs < now)
    return ['The access token has ended by its own date. If the server takes it, one of the clocks is wrong.'];
  const announced = expiresAt === undefined ? undefined : expiresAt - receivedAt;
  const longer =
    announced !== undefined && endsAt - receivedAt > announced * 2 && endsAt - receivedAt > announced + graceMs;
  return longer ? ['The access token is valid much longer than the authorization server said.'] : [];
}

function scopes(claims: JWTPayload, { grantedScopes }: TokenContext): string[] {
  const said = claims['scope'] ?? claims['scp'];
  const named = (typeof said === 'string' ? said.split(' ') : texts(said)).filter((scope) => scope !== '');
  if (named.length === 0) return [];
  // Entra ID grants api://id/name, and its tokens say name.
  const sameScope = (granted: string, one: string): boolean => granted === one || granted.endsWith(`/${one}`);
  const missing = grantedScopes.filter(
    (granted) => !ownScopes.has(granted) && !named.some((one) => sameScope(granted, one)),
  );
  const extra = named.filter((one) => !ownScopes.has(one) && !grantedScopes.some((granted) => sameScope(granted, one)));
  return [
    ...(missing.length === 0
      ? []
      : [`The access token leaves out granted access: ${sanitizeExternalText(missing.join(', '), 120)}.`]),
    ...(extra.length === 0
      ? []
      : [`The access token gives more access than was granted: ${sanitizeExternalText(extra.join(', '), 120)}.`]),
  ];
}
