import type { JWTPayload } from 'jose';
import { signInNoteMessages } from '../../../../shared/messages/en/sign-in-notes.ts';
import { translator } from '../../../../shared/messages/translator.ts';
import { sanitizeExternalText } from '../../base/errors.ts';
import { covers } from '../discovery/protected-resource.ts';

/** What is known about an access token from outside of it. Times are Unix ms. */
export interface TokenContext {
  /** The MCP server's address. */
  readonly url: string;
  readonly resource: string;
  readonly issuer: string;
  /** Another issuer that access tokens may name, from the preset. */
  readonly tokenIssuer?: string;
  readonly grantedScopes: readonly string[];
  readonly receivedAt: number;
  /** When it expires, as the token response stated. */
  readonly expiresAt?: number;
  readonly now: number;
}

const { t } = translator(signInNoteMessages);

const skewMs = 60_000;
/** How much longer than announced a token may live without a note. */
const graceMs = 10 * 60 * 1000;
/** Scopes for the authorization server itself, which access tokens seldom list. */
const ownScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);

/**
 * Checks the claims of a JWT access token (RFC 9068 2.2, RFC 8707 3). Returns notes for the user. Nothing is refused
 * because of them: an access token is meant for its server, not for the client.
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
  const isMeant = audiences.some(
    (audience) => audience === resource || (URL.canParse(audience) && covers(audience, new URL(url))),
  );
  return isMeant ? [] : [t('token.otherAudience', { audiences: sanitizeExternalText(audiences.join(', '), 120) })];
}

/** The strings in a claim that is a string or a list, by the specification; real servers send other types too. */
const texts = (value: unknown): string[] => [value].flat().filter((item) => typeof item === 'string');

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
  const claim = claims['scope'] ?? claims['scp'];
  const named = (typeof claim === 'string' ? claim.split(' ') : texts(claim)).filter((scope) => scope !== '');
  if (named.length === 0) return [];
  // Entra ID grants api://id/name, and its tokens list name.
  const isSame = (granted: string, scope: string): boolean => granted === scope || granted.endsWith(`/${scope}`);
  const missing = grantedScopes.filter(
    (granted) => !ownScopes.has(granted) && !named.some((scope) => isSame(granted, scope)),
  );
  const extra = named.filter(
    (scope) => !ownScopes.has(scope) && !grantedScopes.some((granted) => isSame(granted, scope)),
  );
  return [
    ...(missing.length === 0
      ? []
      : [t('token.missingScopes', { scopes: sanitizeExternalText(missing.join(', '), 120) })]),
    ...(extra.length === 0 ? [] : [t('token.extraScopes', { scopes: sanitizeExternalText(extra.join(', '), 120) })]),
  ];
}
