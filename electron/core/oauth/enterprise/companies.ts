import { defined } from '../../../../shared/defined.ts';
import { asAppError } from '../../base/errors.ts';
import { keepNetwork } from '../../servers/networks.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { enteredSecret } from '../entered-secrets.ts';
import { accountChoice, refuseOtherPerson } from '../authorization/account-choice.ts';
import { needsConfirmation, withConfirmed } from '../authorization/endpoint-hosts.ts';
import type { Identity } from '../identity/identity.ts';
import { presetFor } from '../providers/presets.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { createAccessTokens, type AccessTokens } from '../tokens/access-tokens.ts';
import { atCompanyOf } from '../../servers/secret-binding.ts';
import {
  bindOldSignIns,
  confirmExchange,
  exchangeOriginOf,
  exchangeOrigins,
  withExchange,
} from './exchange-origins.ts';
import { createCompanyClients, type CompanyClients } from './company-clients.ts';
import {
  companyIdentity,
  isSignedIn,
  personAtCompany,
  type CompanyIdentity,
  type IdentityOptions,
} from './company-identity.ts';
import { requireCompany } from './company-token.ts';
import { isCompanyId } from './company.ts';
import { idTokenReader } from './id-token-response.ts';
import { noGrants } from './no-grants.ts';
import { createRelease, type CompanyEnding } from './release-companies.ts';
import { createSharedSignIns, type SharedSignIns } from './shared-sign-ins.ts';
import type { Http } from '../../http/http.ts';
import type { OAuthPorts } from '../model.ts';
import type { Server } from '../../servers/server.ts';

/**
 * Sign-ins at companies' identity providers, each for all servers that name the same issuer and client. They are
 * refreshed as docs/refresh.md says; the result is an ID token instead of an access token.
 */
export interface Companies {
  /**
   * Signs in a user, unless the company's sign-in is already usable. Servers that sign in at the same time share one
   * page. Throws AppError.
   */
  signIn(server: Server, attempt: Attempt, options: { readonly openBrowser: boolean }): Promise<void>;
  /** Never opens a browser. Throws E_SIGN_IN_AGAIN if a user has to sign in, and temporary errors. */
  identity(server: Server, options?: IdentityOptions): Promise<CompanyIdentity>;
  /** The client for the identity provider of this server's company, even if its ID token was entered by hand. */
  httpOf(server: Server): Http;
  /** Who is signed in at the company. */
  person(server: Server): Identity;
  /**
   * Revokes and deletes the sign-ins that no server uses any more. Returns the worst result, or undefined if there were
   * none.
   */
  release(): Promise<CompanyEnding | undefined>;
  /** Retries the sign-ins that were blocked by the store of secrets. */
  unblock(): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface CompaniesDeps {
  readonly ports: Pick<OAuthPorts, 'http' | 'clock' | 'log' | 'openBrowser' | 'onWake'>;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'setAside' | 'unchecked'>;
  readonly vault: Vault;
  /** Whether a sign-in to this server is running. */
  readonly signingIn: (accountKey: string) => boolean;
  /** Called when a user has signed in at the company of these servers. */
  readonly onSignedIn: (servers: readonly Server[]) => void;
  /** Ports for the redirect, in the order in which they are tried. */
  readonly redirectPorts?: readonly number[];
}

export function createCompanies(deps: CompaniesDeps): Companies {
  const { ports, servers, vault } = deps;
  const clients = createCompanyClients(ports.http, servers);
  const tokens = createIdTokens(deps, clients);
  const release = createRelease({ ...deps, tokens, isRunning: (id) => shared.running(id) });
  const shared = shareSignIns(deps, clients, tokens, () => {
    release().catch((error: unknown) => ports.log('company_not_released', { code: asAppError(error).code }));
  });
  const identityDeps = { tokens, vault, clients, clock: ports.clock };

  return {
    async signIn(server, attempt, { openBrowser }) {
      const company = requireCompany(server);
      if (!shared.running(company.id) && (await isSignedIn(identityDeps, company, server))) return;
      await confirmExchange({ servers, confirmed: clients.confirmedHostsOf(company.id) }, company, server, attempt);
      const clientSecret = await enteredSecret(vault, server, 'enterpriseClientSecret', atCompanyOf(server));
      const redirectHost = server.settings.enterprise?.redirectHost ?? '127.0.0.1';
      await shared.join(
        { company, clientSecret, redirectHost, serverName: server.name, exchangeAt: exchangeOriginOf(server) },
        attempt,
        openBrowser,
      );
    },
    identity: (server, options = {}) => companyIdentity(identityDeps, server, options),
    httpOf: (server) => clients.httpOf(server),
    person: (server) => personAtCompany(vault, server),
    release,
    unblock() {
      for (const id of vault.ids().filter(isCompanyId))
        if (tokens.state(id).kind === 'blocked') void tokens.refreshNow(id);
    },
    async start() {
      await bindOldSignIns(vault, clients.serversOf);
      await tokens.start();
    },
    async close() {
      await shared.close();
      await tokens.close();
      await clients.close();
    },
  };
}

/** The ID tokens, kept and refreshed like access tokens. */
function createIdTokens({ ports, vault, onSignedIn }: CompaniesDeps, clients: CompanyClients): AccessTokens {
  return createAccessTokens({
    httpOf: clients.httpFor,
    clock: ports.clock,
    log: ports.log,
    vault,
    onWake: ports.onWake,
    owns: isCompanyId,
    grants: noGrants,
    policyOf: clients.policyOf,
    // The tokens go to the identity provider only, which is not in the list of servers.
    serverUrlOf: () => undefined,
    movedFrom: async () => undefined,
    readResponse: ({ issuer, clientId, subject }) =>
      idTokenReader({ issuer, clientId, ...defined({ subject: subject?.sub }) }),
    // The audience of an ID token is its client, whose ID may be a URL. It is sent to its issuer only.
    audienceFault: () => undefined,
    onRecovered: (id) => onSignedIn(clients.serversOf(id)),
    onChange: () => {},
  });
}

function shareSignIns(
  deps: CompaniesDeps,
  clients: CompanyClients,
  tokens: Pick<AccessTokens, 'adopt'>,
  onAbandoned: () => void,
): SharedSignIns {
  const { ports, servers, vault } = deps;
  const { serversOf } = clients;
  return createSharedSignIns({
    ports,
    httpFor: clients.httpFor,
    ...defined({ redirectPorts: deps.redirectPorts }),
    accountChoice: ({ id, issuer, separate }, metadata) =>
      accountChoice(deps, { id, account: { alone: !separate } }, metadata, presetFor(issuer, undefined)),
    networkOf: clients.networkOf,
    async saveNetwork({ id }, network) {
      for (const server of serversOf(id)) await keepNetwork({ servers, log: ports.log }, server.id, network);
    },
    async confirm({ id, issuer }, hosts, attempt) {
      const confirmed = clients.confirmedHostsOf(id);
      if (!needsConfirmation(hosts, { named: issuer, preset: undefined, confirmed })) return;
      await attempt.confirm(hosts);
      for (const server of serversOf(id))
        await servers.update(server.id, {
          confirmedHosts: withConfirmed(server.confirmedHosts, withExchange(server.confirmedHosts, hosts)),
        });
    },
    async store(id, { credential, idToken, lifeMs }, exchangeAt) {
      for (const server of serversOf(id)) refuseOtherPerson({ ...deps, unstored: new Map() }, server, credential);
      const origins = await exchangeOrigins(vault, id, exchangeAt);
      await tokens.adopt({ ...credential, exchangeOrigins: origins }, idToken, lifeMs);
      deps.onSignedIn(serversOf(id));
    },
    onAbandoned,
  });
}
