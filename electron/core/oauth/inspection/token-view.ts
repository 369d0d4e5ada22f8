import { identityNoteText } from '../../../../shared/identity-note.ts';
import { signInNoteMessages } from '../../../../shared/messages/en/sign-in-notes.ts';
import { translator } from '../../../../shared/messages/translator.ts';
import { defined } from '../../../../shared/defined.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import type { Vault } from '../../vault/credentials.ts';
import { presetFor } from '../providers/presets.ts';
import { introspect, type Introspection } from './introspection.ts';
import { decodedClaims, displayClaims } from '../identity/jwt-claims.ts';
import { clientOf } from '../tokens/credential-client.ts';
import { lintAccessToken } from './token-lint.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Grants } from '../model.ts';

/** What is shown about the tokens of one credential. Contains no token. */
export interface TokenView {
  /** Claims of the access token in memory, if it is a JWT. */
  readonly accessTokenClaims?: Readonly<Record<string, string>>;
  /** For an opaque access token, if the authorization server supports introspection. */
  readonly introspection?: Introspection;
  /** Sentences for the user about unusual tokens. Nothing was refused because of them. */
  readonly notes: readonly string[];
}

export interface TokenViews {
  /** Sends at most one request for each opaque token, with a time-out of 2 s. Never throws. */
  of(server: Pick<Server, 'id' | 'url' | 'settings'>): Promise<TokenView>;
}

export interface TokenViewsDeps {
  readonly vault: Pick<Vault, 'facts' | 'read'>;
  readonly tokens: Pick<AccessTokens, 'current'>;
  readonly clock: Clock;
  readonly grants: Grants;
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  readonly httpOf: (credentialId: string) => Http;
}

const { t } = translator(signInNoteMessages);

export function createTokenViews(deps: TokenViewsDeps): TokenViews {
  const { vault, tokens, clock } = deps;
  const cache = new Map<string, { readonly token: Secret; readonly result: Promise<Introspection | undefined> }>();

  async function request(id: string, token: Secret, issuer: string): Promise<Introspection | undefined> {
    try {
      const read = await vault.read(id);
      // After a sign-in at another issuer, the old token must not be sent there.
      if (read.kind !== 'found' || read.credential.issuer !== issuer) return undefined;
      return await introspect(await clientOf(deps, read.credential), token, { http: deps.httpOf(id), clock });
    } catch {
      return undefined;
    }
  }

  function introspected(id: string, token: Secret, issuer: string): Promise<Introspection | undefined> {
    const cached = cache.get(id);
    if (cached?.token.equals(token)) return cached.result;
    const result = request(id, token, issuer);
    cache.set(id, { token, result });
    return result;
  }

  return {
    async of({ id, url, settings }) {
      const facts = vault.facts(id);
      const current = tokens.current(id);
      const notes = (facts?.identityNotes ?? []).map(identityNoteText);
      if (!facts || !current || facts.grant === 'static_header') return { notes };
      const claims = decodedClaims(current.token.reveal());
      if (claims) {
        const { resource, issuer, grantedScopes } = facts;
        const { receivedAt, expiresAt } = current;
        const namesOrigin = presetFor(issuer, settings.preset)?.tokenIssuer === 'origin';
        const tokenIssuer = namesOrigin ? new URL(issuer).origin : undefined;
        const context = { url, resource, issuer, grantedScopes, receivedAt, now: clock.now() };
        const tokenNotes = lintAccessToken(claims, { ...context, ...defined({ tokenIssuer, expiresAt }) });
        return { accessTokenClaims: displayClaims(claims), notes: [...notes, ...tokenNotes] };
      }
      if (facts.introspectionEndpoint === undefined) return { notes };
      const introspection = await introspected(id, current.token, facts.issuer);
      return {
        notes: introspection?.active === false ? [...notes, t('token.inactive')] : notes,
        ...defined({ introspection }),
      };
    },
  };
}
