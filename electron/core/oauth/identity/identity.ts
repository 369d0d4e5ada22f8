import { defined } from '../../../../shared/defined.ts';
import type { IdentityNote } from '../../../../shared/identity-note.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { wrongTokenReasons } from './wrong-id-token.ts';
import { verifyIdToken, type IdTokenClaims } from './id-token.ts';
import type { KeySets } from './jwks.ts';
import { decodedClaims, displayClaims } from './jwt-claims.ts';
import { fetchUserinfo, type Userinfo } from './userinfo.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { AuthorizationServer, Tokens, TokenClient } from '../model.ts';
import type { Subject } from '../../vault/credential.ts';

/** Who signed in. Without `subject` the person is unknown, and `identityNotes` may say why. */
export interface Identity {
  readonly subject?: Subject;
  /** Display name. */
  readonly account?: string;
  /** For display only. */
  readonly idTokenClaims?: Readonly<Record<string, string>>;
  readonly identityNotes?: readonly IdentityNote[];
}

export interface IdentityDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly log: Log;
  readonly keySets: KeySets;
}

export interface IdentityRequest {
  /** The key of the account that signs in. */
  readonly owner: string;
  readonly authorizationServer: Pick<AuthorizationServer, 'jwks_uri' | 'userinfo_endpoint'>;
  readonly client: Pick<TokenClient, 'issuer' | 'clientId' | 'allow'>;
  readonly tokens: Tokens;
  /** The requested scopes. */
  readonly scopes: readonly string[];
  /** The nonce of the authorization request. Absent if none could be sent. */
  readonly nonce?: Secret;
  readonly signal?: AbortSignal;
}

/**
 * Finds out who has just signed in: from the verified ID token, and from the userinfo endpoint if the ID token contains
 * no name (OpenID Connect Core 3.1.3.7, 5.3) or if there is no ID token. Throws E_ID_TOKEN if a requested ID token is
 * wrong, because the token response may then belong to another person. An ID token that only cannot be verified, that
 * was not requested, or that comes from a server without published keys (which is no OpenID Provider) never ends the
 * sign-in; the identity then has no name.
 */
export async function identify(
  { http, clock, log, keySets }: IdentityDeps,
  request: IdentityRequest,
): Promise<Identity> {
  const { owner, authorizationServer, client, tokens, scopes, nonce, signal } = request;
  const { jwks_uri: uri, userinfo_endpoint: endpoint } = authorizationServer;
  const { allow } = client;
  const { accessToken, scopes: grantedScopes = scopes } = tokens;
  const isGranted = (scope: string) => grantedScopes.includes(scope);
  const userinfo = async (sub?: string): Promise<Userinfo> =>
    endpoint === undefined
      ? { kind: 'none' }
      : fetchUserinfo({ http, allow, endpoint, accessToken, ...defined({ sub, signal }) });
  if (!tokens.idToken) {
    const mayRead = ['openid', 'profile', 'email'].some(isGranted);
    const info: Userinfo = mayRead ? await userinfo() : { kind: 'none' };
    const identity = info.kind === 'claims' ? identityByUserinfo(client.issuer, info.claims) : {};
    return identity.account === undefined && isGranted('openid') ? noted('absent') : identity;
  }

  const keys = uri === undefined ? undefined : keySets.keysAt({ owner, uri, http, allow, ...defined({ signal }) });
  const expected = {
    issuer: client.issuer,
    clientId: client.clientId,
    accessToken,
    now: clock.now(),
    ...defined({ nonce }),
  };
  const verdict = await verifyIdToken(tokens.idToken, expected, keys);
  log('id_token', { credential: owner, verdict: verdict.kind, ...('why' in verdict ? { why: verdict.why } : {}) });
  if (verdict.kind === 'wrong') {
    if (!scopes.includes('openid') || !keys) return noted('wrong');
    const issuer = sanitizeExternalText(client.issuer);
    throw new AppError('E_ID_TOKEN', `The ID token of ${issuer} ${wrongTokenReasons[verdict.why]}.`);
  }
  if (verdict.kind === 'unverified') return noted(verdict.why);

  const { claims } = verdict;
  const needsName = nameIn(claims) === undefined && isGranted('openid');
  return identityByIdToken(claims, needsName ? await userinfo(claims.sub) : { kind: 'none' });
}

/** The owner of the access token by the issuer's word, if there is no ID token (OAuth 2.0 with a userinfo endpoint). */
function identityByUserinfo(issuer: string, claims: Readonly<Record<string, unknown>>): Identity {
  const { sub } = claims;
  const account = nameIn(claims);
  if (account === undefined) return {};
  return {
    ...defined({ subject: typeof sub === 'string' && sub !== '' ? { issuer, sub } : undefined }),
    account,
    idTokenClaims: displayClaims(claims),
    ...noted('userinfo_alone'),
  };
}

function identityByIdToken(claims: IdTokenClaims, userinfo: Userinfo): Identity {
  const more = userinfo.kind === 'claims' ? userinfo.claims : {};
  return {
    subject: { issuer: claims.iss, sub: claims.sub },
    account: nameIn(claims) ?? nameIn(more) ?? sanitizeExternalText(claims.sub),
    idTokenClaims: displayClaims({ ...more, ...claims }),
    ...(userinfo.kind === 'other_person' ? noted('userinfo') : {}),
  };
}

/**
 * Returns the notes after a refresh (OpenID Connect Core 12.2). The ID token of a refresh never changes the identity;
 * if it names another person, a note is added. Its signature is not checked, since it came directly from the token
 * endpoint.
 */
export function identityAfterRefresh(
  { subject, identityNotes: notes }: Identity,
  idToken: Secret | undefined,
): Identity['identityNotes'] {
  const claims = subject && idToken && decodedClaims(idToken.reveal());
  if (!claims || (claims.iss === subject.issuer && claims.sub === subject.sub) || notes?.includes('changed'))
    return notes;
  return [...(notes ?? []), 'changed'];
}

const noted = (note: IdentityNote): Identity => ({ identityNotes: [note] });

function nameIn(claims: Readonly<Record<string, unknown>>): string | undefined {
  const names = [claims['name'], claims['preferred_username'], claims['email']].flatMap((claim) =>
    typeof claim === 'string' ? [sanitizeExternalText(claim)] : [],
  );
  return names.find((name) => name !== '');
}
