import type { JWTPayload } from 'jose';
import { signInNoteMessages } from '../../../../shared/messages/en/sign-in-notes.ts';
import { translator } from '../../../../shared/messages/translator.ts';
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

const { t } = translator(signInNoteMessages);

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
  if (audiences.length === 0) return [t('token.noAudience')];
  const fits = audiences.some((one) => one === resource || (URL.canParse(one) && covers(one, new URL(url))));
  return fits ? [] : [t('token.otherAudience', { audiences: sanitizeExternalText(audiences.join(', '), 120) })];
}

/** A text, or those of a list; the server may have written anything. */
const texts = (value: unknown): string[] => [value].flat().filter((one) => typeof one === 'string');

function issuer({ iss }: JWTPayload, context: TokenContext): string[] {
  if (iss === undefined || iss === context.issuer || iss === context.tokenIssuer) return [];
  const [named, expected] = [sanitizeExternalText(iss, 120), sanitizeExternalText(context.issuer, 120)];
  return [t('token.otherIssuer', { issuer: named, expected })];
}

function expiry({ exp }: JWTPayload, { receivedAt, expiresAt, now }: TokenContext): string[] {
  if (typeof exp !== 'number') return [t('token.noExpiry')];
  const endsAt = exp * 1000;
  if (endsAt + skewMs < now) return [t('token.expired')];
  const announced = expiresAt === undefined ? undefined : expiresAt - receivedAt;
  const longer =
    announced !== undefined && endsAt - receivedAt > announced * 2 && endsAt - receivedAt > announced + graceMs;
  return longer ? [t('token.longer')] : [];
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
      : [t('token.missingScopes', { scopes: sanitizeExternalText(missing.join(', '), 120) })]),
    ...(extra.length === 0 ? [] : [t('token.extraScopes', { scopes: sanitizeExternalText(extra.join(', '), 120) })]),
  ];
}
