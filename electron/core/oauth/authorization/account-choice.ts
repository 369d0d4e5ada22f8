import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { accountsOf } from '../../servers/accounts.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import type { Preset } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';
import type { Subject } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

export interface AccountChoice {
  readonly prompt?: 'select_account' | 'login';
  readonly loginHint?: string;
}

interface Deps {
  readonly servers: Pick<Servers, 'list'>;
  readonly vault: Pick<Vault, 'facts'>;
  /** By account: who has just signed in to it and is not stored yet. */
  readonly arriving: ReadonlyMap<string, Subject>;
}

/**
 * What keeps a sign-in page from taking whoever is signed in to the browser, for a server with several accounts: who is
 * expected, for an account that was signed in before; for a new one the question who it is to be, where the server
 * takes that (OpenID Connect Core 3.1.2.1; `prompt_values_supported` of OpenID Connect Prompt Create 1.0).
 */
export function accountChoice(
  { vault }: Pick<Deps, 'vault'>,
  { id, account }: { readonly id: string; readonly account: Pick<Server['account'], 'alone'> },
  metadata: AuthorizationServer,
  preset: Preset | undefined,
): AccountChoice {
  if (account.alone) return {};
  const known = vault.facts(id);
  // Who signed in elsewhere is no business of a server to which the sign-in has moved.
  const { email, preferred_username: name } =
    (known?.issuer === metadata.issuer ? known.idTokenClaims : undefined) ?? {};
  const loginHint = email ?? name;
  if (loginHint !== undefined) return { loginHint };
  const prompt = promptOf(metadata, preset);
  return prompt === undefined ? {} : { prompt };
}

/** `login` is what every OpenID Provider knows; another server may refuse a word that it does not know. */
function promptOf(metadata: AuthorizationServer, preset: Preset | undefined): AccountChoice['prompt'] {
  const supported: unknown = metadata['prompt_values_supported'];
  if (Array.isArray(supported))
    return (['select_account', 'login'] as const).find((value) => supported.includes(value));
  return preset?.chooseAccount ?? (metadata.scopes_supported?.includes('openid') ? 'login' : undefined);
}

/**
 * Refuses a sign-in by somebody who is another account of this server already, or who is not the one that this account
 * belongs to. Throws E_ACCOUNT_OTHER.
 */
export function refuseOtherPerson(
  { servers, vault, arriving }: Deps,
  server: Server,
  { subject, account: name }: Identity,
): void {
  if (server.account.alone || !subject) return;
  const same = (id: string, known = vault.facts(id)?.subject) => {
    return known && known.issuer === subject.issuer ? known.sub === subject.sub : undefined;
  };
  const who = sanitizeExternalText(name ?? subject.sub, 100);
  const twin = accountsOf(servers, server).find(
    (other) => other.id !== server.id && (same(other.id) === true || same(other.id, arriving.get(other.id)) === true),
  );
  if (twin)
    throw new AppError('E_ACCOUNT_OTHER', `${who} signed in, who is the account "${twin.account.name}" already.`, {
      server: server.name,
    });
  if (same(server.id) === false) {
    throw new AppError(
      'E_ACCOUNT_OTHER',
      `${who} signed in, but the account "${server.account.name}" belongs to ${sanitizeExternalText(vault.facts(server.id)?.account, 100)}.`,
      { server: server.name },
    );
  }
}
