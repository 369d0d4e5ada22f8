import { defined } from '../../../../shared/defined.ts';
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
  /** The identities of sign-ins that have not been stored yet, by account key. */
  readonly unstored: ReadonlyMap<string, Subject>;
}

/**
 * For a server with several accounts: keeps the sign-in page from silently using the browser's current session. An
 * account that was signed in before sends `login_hint`; a new one sends `prompt`, where the server supports it (OpenID
 * Connect Core 3.1.2.1; `prompt_values_supported` of OpenID Connect Prompt Create 1.0). Empty for a single account.
 */
export function accountChoice(
  { vault }: Pick<Deps, 'vault'>,
  { id, account }: { readonly id: string; readonly account: Pick<Server['account'], 'alone'> },
  metadata: AuthorizationServer,
  preset: Preset | undefined,
): AccountChoice {
  if (account.alone) return {};
  const known = vault.facts(id);
  // If the server has moved to another issuer, the new one does not learn who signed in at the old one.
  const { email, preferred_username: name } =
    (known?.issuer === metadata.issuer ? known.idTokenClaims : undefined) ?? {};
  const loginHint = email ?? name;
  if (loginHint !== undefined) return { loginHint };
  return defined({ prompt: promptOf(metadata, preset) });
}

/** Every OpenID Provider supports `login`; other servers may reject a prompt value that they do not know. */
function promptOf(metadata: AuthorizationServer, preset: Preset | undefined): AccountChoice['prompt'] {
  const supported: unknown = metadata['prompt_values_supported'];
  if (Array.isArray(supported))
    return (['select_account', 'login'] as const).find((value) => supported.includes(value));
  return preset?.chooseAccount ?? (metadata.scopes_supported?.includes('openid') ? 'login' : undefined);
}

/**
 * Rejects a sign-in by a person who already has another account of this server, or to whom this account does not
 * belong. Throws E_ACCOUNT_OTHER.
 */
export function refuseOtherPerson(
  { servers, vault, unstored }: Deps,
  server: Server,
  { subject, account: name }: Identity,
): void {
  if (server.account.alone || !subject) return;
  const person = sanitizeExternalText(name ?? subject.sub, 100);
  const duplicate = accountsOf(servers, server).find(
    ({ id }) =>
      id !== server.id && [vault.facts(id)?.subject, unstored.get(id)].some((other) => isSamePerson(other, subject)),
  );
  if (duplicate)
    throw new AppError(
      'E_ACCOUNT_OTHER',
      `${person} signed in, but is already signed in as the account "${duplicate.account.name}".`,
      { server: server.name },
    );
  const stored = vault.facts(server.id);
  if (isSamePerson(stored?.subject, subject) === false) {
    const owner = sanitizeExternalText(stored?.account, 100);
    throw new AppError(
      'E_ACCOUNT_OTHER',
      `${person} signed in, but the account "${server.account.name}" belongs to ${owner}.`,
      { server: server.name },
    );
  }
}

/** Undefined when the two cannot be compared, because one is unknown or they come from different issuers. */
function isSamePerson(known: Subject | undefined, subject: Subject): boolean | undefined {
  return known?.issuer === subject.issuer ? known.sub === subject.sub : undefined;
}
