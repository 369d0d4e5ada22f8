import { identityNoteText } from '../../../../shared/identity-note.ts';
import { signInNoteMessages } from '../../../../shared/messages/en/sign-in-notes.ts';
import { translator } from '../../../../shared/messages/translator.ts';
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

/** What can be read from the tokens of one credential, for a person. Never a token. */
export interface TokenView {
  /** Of the access token in memory, where it is a JWT. */
  readonly accessTokenClaims?: Readonly<Record<string, string>>;
  /** Of an opaque one, where the authorization server tells us. */
  readonly introspection?: Introspection;
  /** What a person should know, as sentences. Nothing was refused for it. */
  readonly notes: readonly string[];
}

export interface TokenViews {
  /** At most 2 s and one request for each opaque token, however often it is looked at. Never throws. */
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
  const asked = new Map<string, { readonly token: Secret; readonly answer: Promise<Introspection | undefined> }>();

  async function ask(id: string, token: Secret, issuer: string): Promise<Introspection | undefined> {
    try {
      const read = await vault.read(id);
      // Somebody may have signed in elsewhere since: the token is none of that server's business.
      if (read.kind !== 'found' || read.credential.issuer !== issuer) return undefined;
      return await introspect(await clientOf(deps, read.credential), token, { http: deps.httpOf(id), clock });
    } catch {
      return undefined;
    }
  }

  /** Once for each token. */
  function introspected(id: string, token: Secret, issuer: string): Promise<Introspection | undefined> {
    const before = asked.get(id);
    if (before?.token.equals(token)) return before.answer;
    const answer = ask(id, token, issuer);
    asked.set(id, { token, answer });
    return answer;
  }

  return {
    async of({ id, url, settings }) {
      const facts = vault.facts(id);
      const live = tokens.current(id);
      const notes = (facts?.identityNotes ?? []).map(identityNoteText);
      if (!facts || !live || facts.grant === 'static_header') return { notes };
      const claims = decodedClaims(live.token.reveal());
      if (claims) {
        const { resource, issuer, grantedScopes } = facts;
        const { receivedAt, expiresAt } = live;
        const tokenIssuer =
          presetFor(issuer, settings.preset)?.tokenIssuer === 'origin' ? new URL(issuer).origin : undefined;
        const odd = lintAccessToken(claims, {
          url,
          resource,
          issuer,
          ...(tokenIssuer === undefined ? {} : { tokenIssuer }),
          grantedScopes,
          receivedAt,
          now: clock.now(),
          ...(expiresAt === undefined ? {} : { expiresAt }),
        });
        return { accessTokenClaims: displayClaims(claims), notes: [...notes, ...odd] };
      }
      if (facts.introspectionEndpoint === undefined) return { notes };
      const introspection = await introspected(id, live.token, facts.issuer);
      return {
        notes: introspection?.active === false ? [...notes, t('token.inactive')] : notes,
        ...(introspection ? { introspection } : {}),
      };
    },
  };
}
