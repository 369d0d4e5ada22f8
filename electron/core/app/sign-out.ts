import type { SignOutReport } from '../../../shared/model.ts';
import { asAppError } from '../base/errors.ts';
import type { Companies } from '../oauth/enterprise/companies.ts';
import { deleteRegistrations } from '../oauth/registration/registration-management.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { AddressPolicy } from '../http/http.ts';
import type { Server } from '../servers/server.ts';
import type { Servers } from '../servers/servers.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import type { StepUps } from '../step-up/step-up.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AccountClients } from './account-clients.ts';
import type { Connections } from './connections.ts';
import type { Ports } from './ports.ts';
import { createRemoval, type Removal } from './removal.ts';

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

/** Signs out of one account or all, and removes accounts and servers. */
export interface SignOut extends Removal {
  /** Revokes the tokens, deletes them here, and deletes the account's automatic registration. */
  signOut(server: Server): Promise<SignOutReport>;
  /** Signs out of every account of every server. Returns a report for each, even if it failed. */
  signOutEverywhere(): Promise<{ server: string; account?: string; report: SignOutReport }[]>;
}

export function createSignOut(deps: SignOutDeps): SignOut {
  const { ports, clients, servers, vault, tokens, changed } = deps;

  async function signOutNow({ id }: Server): Promise<SignOutReport> {
    // Do not revoke at the server what cannot be deleted here.
    if (vault.notice) throw vault.notice;
    const wasSignedIn = vault.facts(id) !== undefined;
    const report = await tokens.signOut(id);
    if (wasSignedIn && report.deleted) await servers.updateAccount(id, { signedOutAt: ports.clock.now() });
    // Only now, because the revocation needs the registration.
    const registration = await deleteRegistration(id);
    if (registration) report.registration = registration;
    await clients.forgetKey(id);
    deps.stepUps.forget(id);
    deps.notes.clear(id);
    const company = await deps.companies.release();
    if (company) report.company = company;
    changed();
    return report;
  }

  async function deleteRegistration(id: string): Promise<SignOutReport['registration']> {
    const server = servers.find(id);
    // Without a registration there is nothing to send, and no need to find the server's network.
    if (!server?.registrations.some(({ how }) => how === 'dynamic')) return undefined;
    return deleteRegistrations(
      { servers, vault, log: ports.log, http: clients.of(id), allow: await deps.networkOf(server) },
      server,
    );
  }

  const signOut = (server: Server) => deps.signIns.cancelAndRun(server.id, () => signOutNow(server));

  return {
    ...createRemoval({ ...deps, signOutNow }),
    signOut,

    signOutEverywhere: () =>
      Promise.all(
        servers.list().map(async (server) => {
          // One failure must not hide the reports of the others.
          const report = await signOut(server).catch((error: unknown): SignOutReport => ({
            revoked: 'failed',
            deleted: false,
            detail: asAppError(error).message,
          }));
          return { server: server.name, ...(server.account.alone ? {} : { account: server.account.name }), report };
        }),
      ),
  };
}
