import type { IdentityNote } from '../../../../shared/identity-note.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Secret } from '../../base/secret.ts';
import { wrongWords } from './wrong-id-token.ts';
import { verifyIdToken, type IdTokenClaims } from './id-token.ts';
import type { KeySets } from './jwks.ts';
import { decodedClaims, displayClaims } from './jwt-claims.ts';
import { fetchUserinfo, type Userinfo } from './userinfo.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { AuthorizationServer, Tokens, TokenClient } from '../model.ts';
import type { Subject } from '../../vault/credential.ts';

/** Who signed in. Without `subject` nobody is known, and the rest says at most why. */
export interface Identity {
  readonly subject?: Subject;
  /** Display name. */
  readonly account?: string;
  /** For display. */
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
  /** The account that signs in. */
  readonly owner: string;
  readonly authorizationServer: Pick<AuthorizationServer, 'jwks_uri' | 'userinfo_endpoint'>;
  readonly client: Pick<TokenClient, 'issuer' | 'clientId' | 'allow'>;
  readonly tokens: Tokens;
  /** As asked for. */
  readonly scopes: readonly string[];
  /** As sent with the authorization request. */
  readonly nonce?: Secret;
  readonly signal?: AbortSignal;
}

/**
 * Who has just signed in: by the ID token, once it is verified, and by the userinfo endpoint where the ID token tells
 * no name (OpenID Connect Core 3.1.3.7, 5.3). A server without ID tokens is asked at its userinfo endpoint alone. One
 * that was asked for and is wrong ends the sign-in (E_ID_TOKEN): the answer may be another person's. What merely cannot
 * be verified costs the name, and not the sign-in; so does one that nobody asked for, and one of a server that
 * publishes no keys and so is no OpenID Provider.
 */
export async function identify(
  { http, clock, log, keySets }: IdentityDeps,
  request: IdentityRequest,
): Promise<Identity> {
  const { owner, authorizationServer, client, tokens, scopes, nonce, signal } = request;
  const { jwks_uri: uri, userinfo_endpoint: endpoint } = authorizationServer;
  const { allow } = client;
  const asked = scopes.includes('openid');
  const granted = (tokens.scopes ?? scopes).includes('openid');
  if (!tokens.idToken) {
    const named = ['openid', 'profile', 'email'].some((scope) => (tokens.scopes ?? scopes).includes(scope));
    const told =
      named && endpoint !== undefined
        ? await fetchUserinfo({ http, allow, endpoint, accessToken: tokens.accessToken, ...(signal ? { signal } : {}) })
        : undefined;
    const identity = told?.kind === 'claims' ? byUserinfo(client.issuer, told.claims) : {};
    return identity.account === undefined && granted ? noted('absent') : identity;
  }

  const keys =
    uri === undefined ? undefined : keySets.keysAt({ owner, uri, http, allow, ...(signal ? { signal } : {}) });
  const expected = {
    issuer: client.issuer,
    clientId: client.clientId,
    accessToken: tokens.accessToken,
    now: clock.now(),
    ...(nonce ? { nonce } : {}),
  };
  const verdict = await verifyIdToken(tokens.idToken, expected, keys);
  log('id_token', { credential: owner, verdict: verdict.kind, ...('why' in verdict ? { why: verdict.why } : {}) });
  if (verdict.kind === 'wrong') {
    if (asked && keys)
      throw new AppError(
        'E_ID_TOKEN',
        `The ID token of ${sanitizeExternalText(client.issuer)} ${wrongWords[verdict.why]}.`,
      );
    return noted('wrong');
  }
  if (verdict.kind === 'unverified') return noted(verdict.why);

  const { claims } = verdict;
  const userinfo: Userinfo =
    nameIn(claims) === undefined && endpoint !== undefined && granted
      ? await fetchUserinfo({
          http,
          allow,
          endpoint,
          accessToken: tokens.accessToken,
          sub: claims.sub,
          ...(signal ? { signal } : {}),
        })
      : { kind: 'none' };
  return known(claims, userinfo);
}

/** Who the issuer says has this access token, where it gives no ID token (OAuth 2.0 with a userinfo endpoint). */
function byUserinfo(issuer: string, claims: Readonly<Record<string, unknown>>): Identity {
  const { sub } = claims;
  const account = nameIn(claims);
  if (account === undefined) return {};
  return {
    ...(typeof sub === 'string' && sub !== '' ? { subject: { issuer, sub } } : {}),
    account,
    idTokenClaims: displayClaims(claims),
    ...noted('userinfo_alone'),
  };
}

function known(claims: IdTokenClaims, userinfo: Userinfo): Identity {
  const more = userinfo.kind === 'claims' ? userinfo.claims : {};
  return {
    subject: { issuer: claims.iss, sub: claims.sub },
    account: nameIn(claims) ?? nameIn(more) ?? sanitizeExternalText(claims.sub),
    idTokenClaims: displayClaims({ ...more, ...claims }),
    ...(userinfo.kind === 'other_person' ? noted('userinfo') : {}),
  };
}

/**
 * The notes after a refresh (OpenID Connect Core 12.2): its ID token changes nothing of the identity, and one that
 * names somebody else gets a note. It came from the token endpoint alone, and its signature is not checked.
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
  const names = [claims['name'], claims['preferred_username'], claims['email']].flatMap((one) =>
    typeof one === 'string' ? [sanitizeExternalText(one)] : [],
  );
  return names.find((name) => name !== '');
}
