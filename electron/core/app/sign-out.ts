import { reportMessages } from '../../../shared/messages/en/reports.ts';
import { translator } from '../../../shared/messages/translator.ts';
import type { SignOutReport } from '../../../shared/model.ts';
import type { Connections } from './connections.ts';
import { AppError, asAppError } from '../base/errors.ts';
import type { Companies } from '../oauth/enterprise/companies.ts';
import { deleteRegistrations } from '../oauth/registration/registration-management.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { Ports } from './ports.ts';
import type { AccountClients } from './account-clients.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import { accountsOf } from '../servers/accounts.ts';
import { belongsToAccount, secretKeyOf, type Server } from '../servers/server.ts';
import type { SetAside } from '../servers/items.ts';
import { type Servers } from '../servers/servers.ts';
import type { StepUps } from '../step-up/step-up.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AddressPolicy } from '../http/http.ts';
import { clientSecretKeys } from '../oauth/registration/registration-secrets.ts';

export interface SignOutDeps {
  readonly ports: Pick<Ports, 'http' | 'log' | 'clock'>;
  readonly clients: AccountClients;
  readonly networkOf: (server: Server) => Promise<AddressPolicy>;
  readonly servers: Servers;
  readonly vault: Vault;
  readonly tokens: Pick<AccessTokens, 'signOut'>;
  readonly companies: Pick<Companies, 'release'>;
  readonly signIns: Pick<SignIns, 'cancelAndRun'>;
  readonly notes: RuntimeNotes;
  readonly stepUps: StepUps;
  readonly connections: Pick<Connections, 'removed' | 'defaultChanged'>;
  readonly changed: () => void;
}

const { t } = translator(reportMessages);

/** Signing out, of one account or of all, and removing. */
export interface SignOut {
  /** Revokes, deletes here, and deletes what Keybridge registered by itself for this account. */
  signOut(server: Server): Promise<SignOutReport>;
  /** Of every account of every server; a report each. */
  signOutEverywhere(): Promise<{ server: string; account?: string; report: SignOutReport }[]>;
  /** Throws E_BAD_INPUT for the only account, E_STORE_UNAVAILABLE when its sign-in could not be deleted. */
  removeAccount(server: Server): Promise<SignOutReport>;
  /** With all accounts; of their reports the worst. Throws E_STORE_UNAVAILABLE: nothing was removed. */
  removeServer(server: Server): Promise<SignOutReport>;
  /**
   * An entry that is set aside: nothing in it is trusted, so nothing is revoked. Throws E_STORE_UNAVAILABLE when
   * nothing was removed.
   */
  removeAside(aside: SetAside): Promise<SignOutReport>;
}

export function createSignOut(deps: SignOutDeps): SignOut {
  const { ports, clients, servers, vault, tokens, changed } = deps;

  async function signOut({ id }: Server): Promise<SignOutReport> {
    // If it cannot be deleted here, it must not be revoked at the server.
    if (vault.notice) throw vault.notice;
    const wasSignedIn = vault.facts(id) !== undefined;
    const report = await tokens.signOut(id);
    if (wasSignedIn && report.deleted) await servers.updateAccount(id, { signedOutAt: ports.clock.now() });
    const registration = await deregister(id);
    if (registration) report.registration = registration;
    await clients.forgetKey(id);
    deps.stepUps.forget(id);
    deps.notes.clear(id);
    const company = await deps.companies.release();
    if (company) report.company = company;
    changed();
    return report;
  }

  /** After the revocation, which needs the registration. */
  async function deregister(id: string): Promise<SignOutReport['registration']> {
    const server = servers.find(id);
    // Only then is there something to send, and the server's network to be found out.
    if (!server?.registrations.some(({ how }) => how === 'dynamic')) return undefined;
    return deleteRegistrations(
      { servers, vault, log: ports.log, http: clients.of(id), allow: await deps.networkOf(server) },
      server,
    );
  }

  async function leave(server: Server): Promise<SignOutReport> {
    const report = await signOut(server);
    if (report.deleted) return report;
    throw new AppError(
      'E_STORE_UNAVAILABLE',
      `${server.name} was not removed: its sign-in could not be deleted from the keychain.`,
      { server: server.name },
    );
  }

  /** What the vault keeps for an account besides its sign-in: what is its own, or everything. */
  async function forgetSecrets(server: Server, which: 'own' | 'all'): Promise<void> {
    const { hasClientSecret, storedSecrets, account } = servers.find(server.id) ?? server;
    const entered = [...storedSecrets, ...(hasClientSecret ? (['clientSecret'] as const) : [])];
    const gone = which === 'all' ? entered : entered.filter((name) => belongsToAccount(name, account.ownClient));
    // What its own client hides of the server's.
    const hidden =
      which === 'all' && account.ownClient
        ? (['clientSecret', 'privateKey'] as const).map((name) =>
            secretKeyOf({ ...server, account: { ...account, ownClient: false } }, name),
          )
        : [];
    for (const key of [
      ...clientSecretKeys(servers.find(server.id) ?? server),
      ...gone.map((name) => secretKeyOf(server, name)),
      ...hidden,
    ])
      await vault.deleteClientSecret(key);
  }

  /** What a sign-in stored meanwhile would lose its registration and its key, or have no account any more. */
  const alone = <Value>({ id }: Server, work: () => Promise<Value>) => deps.signIns.cancelAndRun(id, work);

  /** Returns a report for each account. */
  async function removeAll(server: Server): Promise<SignOutReport[]> {
    const accounts = accountsOf(servers, server);
    const known = new Set(accounts.map(({ id }) => id));
    const reports: SignOutReport[] = [];
    let late: Server | undefined;
    const removal = accounts.reduce(
      (work, account) => () => alone(account, work),
      async () => {
        for (const account of accounts) reports.push(await leave(account));
        for (const account of accounts) await forgetSecrets(account, 'all');
        // One that was added meanwhile may be signed in already.
        late = accountsOf(servers, server).find(({ id }) => !known.has(id));
        if (late) for (const { id } of accounts) await servers.removeAccount(id);
        else await servers.remove(server.id);
      },
    );
    await removal();
    for (const id of known) deps.connections.removed(id);
    changed();
    return late ? [...reports, ...(await removeAll(late))] : reports;
  }

  return {
    signOut: (server) => alone(server, () => signOut(server)),

    signOutEverywhere: () =>
      Promise.all(
        servers.list().map(async (server) => {
          // One that fails must not hide what became of the others.
          const report = await alone(server, () => signOut(server)).catch((error: unknown): SignOutReport => ({
            revoked: 'failed',
            deleted: false,
            detail: asAppError(error).message,
          }));
          return { server: server.name, ...(server.account.alone ? {} : { account: server.account.name }), report };
        }),
      ),

    async removeAccount(server) {
      if (server.account.alone)
        throw new AppError('E_BAD_INPUT', `${server.name} has only this account. Remove the server instead.`, {
          server: server.name,
        });
      const report = await alone(server, async () => {
        const left = await leave(server);
        await forgetSecrets(server, 'own');
        await servers.removeAccount(server.id);
        return left;
      });
      deps.connections.removed(server.id);
      deps.connections.defaultChanged();
      changed();
      return report;
    },

    removeServer: async (server) => worst(await removeAll(server)),

    async removeAside({ key, name }) {
      const kept = vault.ids().some((id) => id.startsWith(`${key}:`));
      if ((await vault.forget(key)).kind !== 'done')
        throw new AppError(
          'E_STORE_UNAVAILABLE',
          `${name} was not removed: its sign-in could not be deleted from the keychain.`,
          { server: name },
        );
      await servers.drop(key);
      changed();
      return kept
        ? { revoked: 'failed', deleted: true, detail: t('signOut.setAside') }
        : { revoked: 'nothing_to_revoke', deleted: true };
    },
  };
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
  return {
    revoked,
    deleted: reports.every(({ deleted }) => deleted),
    ...(registration === undefined ? {} : { registration }),
    ...(company === undefined ? {} : { company }),
    ...(detail === undefined ? {} : { detail }),
  };
}
