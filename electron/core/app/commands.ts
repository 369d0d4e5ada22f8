import type { Api } from '../../../shared/api.ts';
import { type ServerStatus, type Status, type StoreStatus } from '../../../shared/model.ts';
import { recheckableCodes } from '../../../shared/server-state.ts';
import { foundServer, type Connections } from './connections.ts';
import { AppError, asAppError } from '../base/errors.ts';
import { hostSnippets } from '../hosts/snippets.ts';
import { createSignOut } from './sign-out.ts';
import { makeSigningKey } from './signing-key.ts';
import { presets } from '../oauth/providers/presets.ts';
import type { Companies } from '../oauth/enterprise/companies.ts';
import type { SignIns } from '../oauth/sign-in/sign-in.ts';
import type { TokenViews } from '../oauth/inspection/token-view.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import type { Ports } from './ports.ts';
import { createAddressPreviews, discoverThere } from './previews.ts';
import { createUserSecrets } from './user-secrets.ts';
import type { AccountClients } from './account-clients.ts';
import { serverDetail } from '../status/server-detail.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import type { StepUps } from '../step-up/step-up.ts';
import { accountsOf } from '../servers/accounts.ts';
import { namesFor, suggestName } from '../servers/name.ts';
import { keepNetwork, knownNetwork } from '../servers/networks.ts';
import { refuseWithoutCompany } from '../servers/secret-binding.ts';
import { keepSeen } from '../servers/seen.ts';
import type { Servers } from '../servers/servers.ts';
import { parseServerUrl } from '../servers/url.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AddressPolicy } from '../http/http.ts';
import type { Server } from '../servers/server.ts';
import { secretNames } from '../../../shared/server-settings.ts';

export interface CommandsDeps {
  readonly ports: Ports;
  readonly clients: AccountClients;
  readonly networkOf: (server: Server) => Promise<AddressPolicy>;
  readonly servers: Servers;
  readonly vault: Vault;
  readonly tokens: AccessTokens;
  readonly companies: Companies;
  readonly signIns: SignIns;
  readonly signIn: (
    accountKey: string,
    options: { readonly openBrowser: boolean; readonly canAsk?: boolean },
  ) => Promise<void>;
  readonly notes: RuntimeNotes;
  readonly connections: Connections;
  readonly stepUps: StepUps;
  readonly statusOf: (accountKey: string) => ServerStatus | undefined;
  readonly current: () => Status;
  readonly changed: () => void;
  readonly reviewAudiences: (server: Server) => void;
  readonly unlockStore: () => Promise<StoreStatus>;
  readonly views: TokenViews;
}

/** The commands of `shared/api.ts`. Input is parsed already; every error is an AppError. */
export function createCommands(deps: CommandsDeps): Api {
  const { ports, servers, tokens, signIns, connections, changed } = deps;
  const leaving = createSignOut(deps);
  const keepSecrets = createUserSecrets(deps);
  const looks = createAddressPreviews(ports.http);

  const named = ({ server, account }: { readonly server: string; readonly account?: string | undefined }): Server =>
    foundServer(servers, server, account);

  const isTaken = (name: string): boolean =>
    servers.find(name) !== undefined || servers.setAside.some((one) => one.name === name);

  function statusOf(server: Server): ServerStatus {
    const status = deps.statusOf(server.id);
    if (!status) throw new AppError('E_SERVER_UNKNOWN', `The server "${server.name}" was removed.`);
    return status;
  }

  return {
    status: async () => deps.current(),

    discover: ({ url, settings = {} }) => looks.look(parseServerUrl(url), settings),

    async openProviderPage({ preset }) {
      const page = presets.find(({ title }) => title === preset)?.page;
      if (page === undefined) throw new AppError('E_BAD_INPUT', 'Keybridge does not know a page of this provider.');
      await ports.openBrowser(new URL(page));
      return { url: page };
    },

    presets: async () => presets.map(({ name, title }) => ({ name, title })),

    async addServer({ url, name, clientId, clientSecret, allowMissingPkce, settings, secrets }) {
      const parsed = parseServerUrl(url);
      const look = looks.at(parsed);
      refuseWithoutCompany(
        settings ?? {},
        secretNames.filter((one) => typeof secrets?.[one] === 'string'),
      );
      const server = await servers.add({
        ...(name === undefined ? { name: suggestName(parsed, isTaken) } : namesFor(name, parsed, isTaken)),
        url: parsed.href,
        ...(clientId === undefined ? {} : { clientId }),
        hasClientSecret: false,
        allowMissingPkce: allowMissingPkce ?? false,
        signInRequired: look?.seen === 'sign_in',
        ...(look?.seen === 'open' ? { openSeenAt: ports.clock.now() } : {}),
        ...(look?.reservedRedirect ? { reservedRedirect: look.reservedRedirect } : {}),
        ...(settings ? { settings } : {}),
      });
      await keepSecrets(server, { ...secrets, clientSecret });
      changed();
      return statusOf(server);
    },

    async configureServer(input) {
      const { clientId, clientSecret, allowMissingPkce, settings, secrets } = input;
      let server = named(input);
      // Named, the account gets a client of its own; else the client is that of the server, for all accounts without.
      const own = input.account !== undefined || server.account.ownClient;
      if (clientId !== undefined) {
        // The secret of a client that is given up must never be shown for the next one, whose issuer may be another.
        const gone = server.clientId !== undefined && server.clientId !== clientId && own === server.account.ownClient;
        const secret = gone && server.hasClientSecret ? { clientSecret: null } : {};
        // Without a client of its own an account cannot have a key of its own either.
        const key = clientId === null && server.account.ownClient ? { privateKey: null } : {};
        await keepSecrets(server, { ...secret, ...key });
        const change = { clientId: clientId ?? undefined };
        server = own ? await servers.updateAccount(server.id, change) : await servers.update(server.id, change);
        // Entered anew, it may be meant for another issuer.
        for (const { id, registrations } of accountsOf(servers, server)) {
          const kept = registrations.filter((one) => one.how !== 'configured' || one.client_id !== clientId);
          if (kept.length < registrations.length) await servers.updateAccount(id, { registrations: kept });
        }
      }
      // A secret that comes with new settings is meant for them.
      await keepSecrets(settings ? { ...server, settings } : server, { ...secrets, clientSecret }, input.account);
      // Who chooses the scopes anew means all of them: a step-up's union would bring the old ones back.
      if (settings && JSON.stringify(settings.scopes) !== JSON.stringify(server.settings.scopes)) {
        for (const { id } of accountsOf(servers, server)) await servers.updateAccount(id, { learnedScopes: {} });
      }
      await servers.update(server.id, {
        ...(settings ? { settings } : {}),
        ...(allowMissingPkce === undefined ? {} : { allowMissingPkce }),
      });
      await deps.companies.release();
      deps.reviewAudiences(server);
      changed();
      return statusOf(server);
    },

    async checkServer(input) {
      const server = named(input);
      const discovery = await discoverThere(
        deps.clients.of(server.id),
        new URL(server.url),
        server.settings,
        knownNetwork(server, server.url),
      ).catch((error: unknown) => {
        throw asAppError(error, server.name);
      });
      await keepNetwork({ servers, log: ports.log }, server.id, discovery.allow);
      await keepSeen(servers, server, discovery.kind === 'open' ? 'open' : 'sign_in', ports.clock.now());
      // What stood in the way of the last sign-in no longer does.
      if (recheckableCodes.has(deps.notes.get(server.id).lastFailure?.code ?? ''))
        deps.notes.set(server.id, { lastFailure: undefined });
      changed();
      return statusOf(server);
    },

    async serverDetail(input) {
      const server = named(input);
      const [certificateExpiresAt, view] = await Promise.all([
        deps.clients.of(server.id).certificateExpiresAt(),
        deps.views.of(server),
      ]);
      return {
        ...serverDetail(deps, server, statusOf(server), view),
        ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }),
      };
    },

    async signIn(input) {
      const server = named(input);
      await deps.signIn(server.id, input);
      return statusOf(server);
    },

    async confirmSignIn(input) {
      const server = named(input);
      signIns.confirm(server.id, input.hosts);
      return statusOf(server);
    },

    async dismissAccess(input) {
      const server = named(input);
      deps.stepUps.dismiss(server.id);
      return statusOf(server);
    },

    async cancelSignIn(input) {
      const server = named(input);
      signIns.cancel(server.id);
      changed();
      return statusOf(server);
    },

    async finishSignIn(input) {
      const server = named(input);
      await signIns.finish(server.id, input.redirectUrl);
      return statusOf(server);
    },

    async refreshNow(input) {
      const server = named(input);
      const answer = await tokens.refreshNow(server.id);
      connections.tryNow(server.id);
      if (answer.kind === 'refused' || answer.kind === 'unavailable') throw answer.error.about(server.name);
      return statusOf(server);
    },

    async generateKey(input) {
      const { algorithm, replace, account } = input;
      const made = await makeSigningKey({ servers, keepSecrets }, named(input), { algorithm, replace, account });
      changed();
      return made;
    },

    async addAccount({ server: wanted, name }) {
      const account = await servers.addAccount(named({ server: wanted }).id, name);
      changed();
      return statusOf(account);
    },

    async updateAccount(input) {
      const { name, isDefault } = input;
      const server = named(input);
      if (name !== undefined) await servers.updateAccount(server.id, { name, autoNamed: false });
      if (isDefault) await servers.makeDefault(server.id);
      connections.defaultChanged();
      changed();
      return statusOf(server);
    },

    removeAccount: (input) => leaving.removeAccount(named(input)),
    signOut: (input) => leaving.signOut(named(input)),
    signOutEverywhere: () => leaving.signOutEverywhere(),
    async removeServer({ server }) {
      const aside = servers.find(server)
        ? undefined
        : servers.setAside.find(({ name, key }) => name === server || key === server);
      return aside ? leaving.removeAside(aside) : leaving.removeServer(named({ server }));
    },

    async acceptServer({ server }) {
      const accepted = await servers.accept(server);
      ports.log('server_accepted', { server: accepted.name });
      changed();
      return statusOf(accepted);
    },

    async hostSnippets(input) {
      const { name, account } = named(input);
      return hostSnippets(
        name,
        ports.about.bridgeCommand,
        ports.about.bridgeEnv,
        process.platform,
        account.isDefault ? undefined : account.name,
      );
    },

    unlockStore: async () => deps.unlockStore(),
  };
}
