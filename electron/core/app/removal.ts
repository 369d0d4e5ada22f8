import { defined } from '../../../shared/defined.ts';
import { reportMessages } from '../../../shared/messages/en/reports.ts';
import { translator } from '../../../shared/messages/translator.ts';
import type { SignOutReport } from '../../../shared/model.ts';
import { AppError } from '../base/errors.ts';
import { clientSecretKeys } from '../oauth/registration/registration-secrets.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import { accountsOf } from '../servers/accounts.ts';
import type { SetAside } from '../servers/items.ts';
import { belongsToAccount, secretKeyOf, type Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { Vault } from '../vault/credentials.ts';
import type { Connections } from './connections.ts';

const { t } = translator(reportMessages);

/** Signs out, then removes. */
export interface Removal {
  /** Throws E_BAD_INPUT for the last account, E_STORE_UNAVAILABLE if its sign-in could not be deleted. */
  removeAccount(server: Server): Promise<SignOutReport>;
  /**
   * Removes a server with all its accounts. Returns the worst of their reports. Throws E_STORE_UNAVAILABLE, and then
   * nothing was removed.
   */
  removeServer(server: Server): Promise<SignOutReport>;
  /**
   * Removes an entry that is set aside. Nothing in it is trusted, so nothing is revoked. Throws E_STORE_UNAVAILABLE,
   * and then nothing was removed.
   */
  removeAside(aside: SetAside): Promise<SignOutReport>;
}

interface RemovalDeps {
  readonly servers: Servers;
  readonly vault: Pick<Vault, 'deleteClientSecret' | 'forget' | 'ids'>;
  readonly signIns: Pick<SignIns, 'cancelAndRun'>;
  readonly connections: Pick<Connections, 'removed' | 'defaultChanged'>;
  readonly changed: () => void;
  /** Signs out; the caller keeps sign-ins from starting. */
  readonly signOutNow: (server: Server) => Promise<SignOutReport>;
}

export function createRemoval(deps: RemovalDeps): Removal {
  const { servers, vault, connections, changed } = deps;

  /** Without this, a sign-in that is stored meanwhile would lose its registration, its key or its account. */
  const withoutSignIn = <Value>({ id }: Server, task: () => Promise<Value>) => deps.signIns.cancelAndRun(id, task);

  async function signOutOrThrow(server: Server): Promise<SignOutReport> {
    const report = await deps.signOutNow(server);
    if (report.deleted) return report;
    throw notRemoved(server.name);
  }

  async function deleteSecrets(server: Server, which: 'own' | 'all'): Promise<void> {
    for (const key of secretKeys(servers.find(server.id) ?? server, which)) await vault.deleteClientSecret(key);
  }

  /** Returns a report for each account. */
  async function removeAll(server: Server): Promise<SignOutReport[]> {
    const accounts = accountsOf(servers, server);
    const known = new Set(accounts.map(({ id }) => id));
    const reports: SignOutReport[] = [];
    let added: Server | undefined;
    const remove = accounts.reduce(
      (task, account) => () => withoutSignIn(account, task),
      async () => {
        for (const account of accounts) reports.push(await signOutOrThrow(account));
        for (const account of accounts) await deleteSecrets(account, 'all');
        // An account that was added meanwhile may be signed in already, so it needs a sign-out of its own.
        added = accountsOf(servers, server).find(({ id }) => !known.has(id));
        if (added) for (const { id } of accounts) await servers.removeAccount(id);
        else await servers.remove(server.id);
      },
    );
    await remove();
    for (const id of known) connections.removed(id);
    changed();
    return added ? [...reports, ...(await removeAll(added))] : reports;
  }

  return {
    async removeAccount(server) {
      if (server.account.alone)
        throw new AppError('E_BAD_INPUT', `${server.name} has only this account. Remove the server instead.`, {
          server: server.name,
        });
      const report = await withoutSignIn(server, async () => {
        const signOutReport = await signOutOrThrow(server);
        await deleteSecrets(server, 'own');
        await servers.removeAccount(server.id);
        return signOutReport;
      });
      connections.removed(server.id);
      connections.defaultChanged();
      changed();
      return report;
    },

    removeServer: async (server) => worst(await removeAll(server)),

    async removeAside({ key, name }) {
      const wasSignedIn = vault.ids().some((id) => id.startsWith(`${key}:`));
      if ((await vault.forget(key)).kind !== 'done') throw notRemoved(name);
      await servers.drop(key);
      changed();
      return wasSignedIn
        ? { revoked: 'failed', deleted: true, detail: t('signOut.setAside') }
        : { revoked: 'nothing_to_revoke', deleted: true };
    },
  };
}

const notRemoved = (server: string): AppError =>
  new AppError(
    'E_STORE_UNAVAILABLE',
    `${server} was not removed: its sign-in could not be deleted from the keychain.`,
    { server },
  );

/** The vault keys of an account's secrets besides its sign-in: its own, or all that it uses. */
function secretKeys(server: Server, which: 'own' | 'all'): string[] {
  const { hasClientSecret, storedSecrets, account } = server;
  const entered = [...storedSecrets, ...(hasClientSecret ? (['clientSecret'] as const) : [])];
  const deleted = which === 'all' ? entered : entered.filter((name) => belongsToAccount(name, account.ownClient));
  const shared = { ...server, account: { ...account, ownClient: false } };
  return [
    ...clientSecretKeys(server),
    ...deleted.map((name) => secretKeyOf(server, name)),
    // The server's secrets, which an own client hides.
    ...(which === 'all' && account.ownClient
      ? (['clientSecret', 'privateKey'] as const).map((name) => secretKeyOf(shared, name))
      : []),
  ];
}

function worst(reports: readonly SignOutReport[]): SignOutReport {
  const registration = (['failed', 'not_offered', 'deleted'] as const).find((ending) =>
    reports.some((report) => report.registration === ending),
  );
  const revoked =
    (['failed', 'key_stays', 'not_offered', 'confirmed'] as const).find((ending) =>
      reports.some((report) => report.revoked === ending),
    ) ?? 'nothing_to_revoke';
  const company = (['failed', 'not_offered', 'confirmed'] as const).find((ending) =>
    reports.some((report) => report.company === ending),
  );
  const detail = reports.find((report) => report.detail !== undefined)?.detail;
  return { revoked, deleted: reports.every(({ deleted }) => deleted), ...defined({ registration, company, detail }) };
}
