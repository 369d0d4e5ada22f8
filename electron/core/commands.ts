import type { Api } from '../../shared/api.ts';
import type { SecretName, ServerDetail, ServerStatus, SignOutReport, Status, StoreStatus } from '../../shared/model.ts';
import { credentialIdOf, type Connections } from './connections.ts';
import { AppError, asAppError, foreign } from './errors.ts';
import { hostSnippets } from './hosts/snippets.ts';
import { addressPolicy } from './http/address.ts';
import { describeDiscovery } from './oauth/describe.ts';
import { discover } from './oauth/discovery.ts';
import { presetFor } from './oauth/presets.ts';
import { deleteRegistrations } from './oauth/registration-management.ts';
import { clientSecretKeys } from './oauth/registration.ts';
import type { SignIns } from './oauth/sign-in.ts';
import type { TokenKeeper } from './oauth/tokens.ts';
import type { Ports } from './ports.ts';
import { Secret } from './secret.ts';
import type { ServerClients } from './server-clients.ts';
import type { ServerNotes } from './server-notes.ts';
import type { StepUps } from './step-up.ts';
import { suggestName } from './servers/name.ts';
import { serverSecretKey, type Server, type Servers } from './servers/servers.ts';
import { parseServerUrl } from './servers/url.ts';
import type { Vault } from './vault/credentials.ts';
import { storeFault } from './vault/store-fault.ts';

export interface CommandsDeps {
  readonly ports: Ports;
  readonly clients: ServerClients;
  readonly servers: Servers;
  readonly vault: Vault;
  readonly tokens: TokenKeeper;
  readonly signIns: SignIns;
  readonly signIn: (serverId: string, openBrowser: boolean) => Promise<void>;
  readonly notes: ServerNotes;
  readonly connections: Connections;
  readonly stepUps: StepUps;
  readonly statusOf: (serverId: string) => ServerStatus | undefined;
  readonly current: () => Status;
  readonly changed: () => void;
  readonly unlockStore: () => Promise<StoreStatus>;
}

/** The commands of `shared/api.ts`. Input is parsed already; every error is an AppError. */
export function createCommands(deps: CommandsDeps): Api {
  const { ports, servers, vault, tokens, signIns, notes, connections, changed } = deps;

  function named(nameOrId: string): Server {
    const server = servers.find(nameOrId);
    if (!server) throw new AppError('E_SERVER_UNKNOWN', `There is no server named "${foreign(nameOrId)}".`);
    return server;
  }

  function statusOf(server: Server): ServerStatus {
    const status = deps.statusOf(server.id);
    if (!status) throw new AppError('E_SERVER_UNKNOWN', `The server "${server.name}" was removed.`);
    return status;
  }

  /** Stores or deletes what the user entered; a secret that could not be kept leaves the server as it was. */
  async function keepSecrets(server: Server, secrets: Readonly<Partial<Record<SecretName, string | null | undefined>>>): Promise<void> {
    const stored = new Set(server.storedSecrets);
    let { hasClientSecret } = server;
    for (const [name, value] of Object.entries(secrets) as [SecretName, string | null | undefined][]) {
      if (value === undefined) continue;
      const key = serverSecretKey(server.id, name);
      const done = value === null ? await vault.deleteClientSecret(key) : await vault.writeClientSecret(key, new Secret(value));
      if (done.kind !== 'done') throw storeFault(done, 'The secret could not be kept').about(server.name);
      if (name === 'clientSecret') hasClientSecret = value !== null;
      else if (value === null) stored.delete(name);
      else stored.add(name);
    }
    // Entered anew, it may be meant for another issuer.
    const anew = secrets.initialAccessToken === undefined ? {} : { initialAccessTokenIssuer: undefined };
    await servers.update(server.id, { hasClientSecret, storedSecrets: [...stored], ...anew });
  }

  async function signOut(server: Server): Promise<SignOutReport> {
    signIns.cancel(server.id);
    const report = await tokens.signOut(credentialIdOf(server.id));
    const registration = await deregister(server.id);
    if (registration) report.registration = registration;
    await deps.clients.forgetKey(server.id);
    deps.stepUps.forget(server.id);
    notes.clear(server.id);
    changed();
    return report;
  }

  /** After the revocation, which needs the registration. */
  async function deregister(serverId: string): Promise<SignOutReport['registration']> {
    const server = servers.find(serverId);
    const allow = server && (await addressPolicy(ports.http, new URL(server.url)).catch(() => undefined));
    return server && deleteRegistrations({ servers, vault, log: ports.log, http: deps.clients.of(serverId), allow: allow ?? [] }, server);
  }

  return {
    status: async () => deps.current(),

    async discover({ url }) {
      const parsed = parseServerUrl(url);
      return describeDiscovery(parsed, await discover(parsed, { http: ports.http }));
    },

    async addServer({ url, name, clientId, clientSecret, allowMissingPkce, settings, secrets }) {
      const parsed = parseServerUrl(url);
      const server = await servers.add({
        name: name ?? suggestName(parsed, (taken) => servers.find(taken) !== undefined),
        url: parsed.href,
        ...(clientId === undefined ? {} : { clientId }),
        hasClientSecret: false,
        allowMissingPkce: allowMissingPkce ?? false,
        signInRequired: false,
        ...(settings ? { settings } : {}),
      });
      await keepSecrets(server, { ...secrets, clientSecret });
      changed();
      return statusOf(server);
    },

    async configureServer({ server: name, clientId, clientSecret, allowMissingPkce, settings, secrets }) {
      const server = named(name);
      await keepSecrets(server, { ...secrets, clientSecret });
      await servers.update(server.id, {
        ...(clientId === undefined ? {} : { clientId: clientId ?? undefined }),
        ...(settings ? { settings } : {}),
        // Who chooses the scopes anew means all of them: a step-up's union would bring the old ones back.
        ...(settings && JSON.stringify(settings.scopes) !== JSON.stringify(server.settings.scopes) ? { learnedScopes: {} } : {}),
        ...(allowMissingPkce === undefined ? {} : { allowMissingPkce }),
      });
      changed();
      return statusOf(server);
    },

    async serverDetail({ server: name }) {
      const server = named(name);
      const certificateExpiresAt = await deps.clients.of(server.id).certificateExpiresAt();
      return { ...serverDetail(deps, server), ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }) };
    },

    async signIn({ server: name, openBrowser }) {
      const server = named(name);
      await deps.signIn(server.id, openBrowser);
      return statusOf(server);
    },

    async dismissAccess({ server: name }) {
      const server = named(name);
      deps.stepUps.dismiss(server.id);
      return statusOf(server);
    },

    async cancelSignIn({ server: name }) {
      const server = named(name);
      signIns.cancel(server.id);
      changed();
      return statusOf(server);
    },

    async finishSignIn({ server: name, redirectUrl }) {
      const server = named(name);
      await signIns.finish(server.id, redirectUrl);
      return statusOf(server);
    },

    async refreshNow({ server: name }) {
      const server = named(name);
      const answer = await tokens.refreshNow(credentialIdOf(server.id));
      if (answer.kind === 'refused' || answer.kind === 'unavailable') throw answer.error.about(server.name);
      return statusOf(server);
    },

    signOut: async ({ server: name }) => signOut(named(name)),

    async signOutEverywhere() {
      const all = servers.list();
      return Promise.all(
        all.map(async (server) => {
          // One that fails must not hide what became of the others.
          const report = await signOut(server).catch((error: unknown): SignOutReport => ({ revoked: 'failed', deleted: false, detail: asAppError(error).message }));
          return { server: server.name, report };
        }),
      );
    },

    async removeServer({ server: name }) {
      const server = named(name);
      const report = await signOut(server);
      if (!report.deleted) {
        throw new AppError('E_STORE_UNAVAILABLE', `${server.name} was not removed: its sign-in could not be deleted from the store of secrets.`, { server: server.name });
      }
      for (const key of everySecretKey(servers.find(server.id) ?? server)) await vault.deleteClientSecret(key);
      await servers.remove(server.id);
      connections.removed(server.id);
      changed();
      return report;
    },

    async hostSnippets({ server: name }) {
      return hostSnippets(named(name).name, ports.about.bridgeCommand, ports.about.bridgeEnv);
    },

    unlockStore: async () => deps.unlockStore(),
  };
}

function serverDetail({ vault, tokens, statusOf }: CommandsDeps, server: Server): ServerDetail {
  const credentialId = credentialIdOf(server.id);
  const facts = vault.facts(credentialId);
  const status = statusOf(server.id);
  if (!status) throw new AppError('E_SERVER_UNKNOWN', `The server "${server.name}" was removed.`);
  const registration = server.registrations.find((one) => one.issuer === facts?.issuer && one.client_id === facts.clientId) ?? server.registrations[0];
  const preset = facts && presetFor(facts.issuer, server.settings.preset);
  const claims = tokens.claims(credentialId);
  const clientId = facts?.clientId ?? registration?.client_id ?? server.clientId;
  return {
    status,
    addedAt: server.addedAt,
    requestedScopes: [...(facts?.requestedScopes ?? [])],
    grantedScopes: [...(facts?.grantedScopes ?? [])],
    learnedScopes: { ...server.learnedScopes },
    allowMissingPkce: server.allowMissingPkce,
    settings: server.settings,
    storedSecrets: [...server.storedSecrets, ...(server.hasClientSecret ? (['clientSecret'] as const) : [])],
    ...(facts ? { issuer: facts.issuer, resource: facts.resource, signedInAt: facts.signedInAt } : {}),
    ...(facts?.lastRefreshAt === undefined ? {} : { lastRefreshAt: facts.lastRefreshAt }),
    ...(clientId === undefined ? {} : { clientId, registration: server.clientId === undefined ? (registration?.how ?? 'dynamic') : 'configured' }),
    ...(preset ? { preset: preset.title } : {}),
    ...(registration ? { redirectUri: registration.redirect_uri } : {}),
    ...(claims ? { accessTokenClaims: { ...claims } } : {}),
    ...(facts?.idTokenClaims ? { idTokenClaims: { ...facts.idTokenClaims } } : {}),
  };
}

/** Everything that the vault keeps for a server besides its sign-in. */
function everySecretKey(server: Server): string[] {
  return [...clientSecretKeys(server), ...server.storedSecrets.map((name) => serverSecretKey(server.id, name))];
}
