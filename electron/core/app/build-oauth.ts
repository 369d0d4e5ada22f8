import type { Secret } from '../base/secret.ts';
import { createCompanies, type Companies } from '../oauth/enterprise/companies.ts';
import { isCompanyId } from '../oauth/enterprise/company.ts';
import { createGrants } from '../oauth/grants/grants.ts';
import { createTokenViews, type TokenViews } from '../oauth/inspection/token-view.ts';
import type { Grants } from '../oauth/model.ts';
import { createRegistrationRenewal, type RegistrationRenewal } from '../oauth/registration/registration-renewal.ts';
import { progressOf, type RunningSignIns } from '../oauth/sign-in/running.ts';
import type { SignInsDeps } from '../oauth/sign-in/sign-in.ts';
import { createAccessTokens, type AccessTokens, type AccessTokensDeps } from '../oauth/tokens/access-tokens.ts';
import { audienceFault, knownAudiences } from '../oauth/tokens/audience.ts';
import { movedFrom } from '../oauth/tokens/issuer-moved.ts';
import type { RuntimeNotes } from '../status/runtime-notes.ts';
import { learnedScopesOf } from '../step-up/learned-scopes.ts';
import type { Servers } from '../servers/servers.ts';
import type { Vault } from '../vault/credentials.ts';
import type { AccountClients } from './account-clients.ts';
import type { AppEvents } from './app-events.ts';
import type { Ports } from './ports.ts';
import type { ServerNetworks } from './server-network.ts';

/** The parts that sign-ins and access tokens are built on. */
export interface OAuthFoundation {
  readonly ports: Pick<Ports, 'http' | 'clock' | 'log' | 'openBrowser' | 'onWake'>;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'updateAccount' | 'setAside' | 'unchecked'>;
  readonly vault: Vault;
  readonly clients: Pick<AccountClients, 'of'>;
  readonly networks: Pick<ServerNetworks, 'policyOf' | 'networkOf'>;
  readonly notes: RuntimeNotes;
  readonly events: AppEvents;
}

export interface OAuthParts extends OAuthFoundation {
  readonly companies: Companies;
  readonly grants: Grants;
  readonly running: RunningSignIns;
}

/** Builds companies and grants, which access tokens and sign-ins share. */
export function buildOAuthParts(foundation: OAuthFoundation): OAuthParts {
  const { ports, servers, vault, events } = foundation;
  const running: RunningSignIns = new Map();
  const companies = createCompanies({
    ports,
    servers,
    vault,
    signingIn: (accountKey) => progressOf(running, accountKey) !== undefined,
    onSignedIn: (companyServers) => events.companySignedIn.emit(companyServers),
  });
  const grants = createGrants({ servers, vault, clock: ports.clock, companies });
  return { ...foundation, companies, grants, running };
}

/** The dependencies of the access tokens, with every security check in place. */
export function accessTokensDeps(parts: OAuthParts): AccessTokensDeps {
  const { ports, servers, vault, clients, networks, events, grants } = parts;
  return {
    httpOf: (accountKey) => clients.of(accountKey),
    clock: ports.clock,
    log: ports.log,
    vault,
    grants,
    owns: (id) => !isCompanyId(id),
    policyOf: (credential) => networks.policyOf(credential),
    serverUrlOf: (id) => servers.find(id)?.url,
    audienceFault(id: string, token: Secret) {
      const server = servers.find(id);
      return server && audienceFault(token, knownAudiences(server, vault.facts(id)));
    },
    async movedFrom(id) {
      const [server, issuer] = [servers.find(id), vault.facts(id)?.issuer];
      return server && issuer !== undefined ? movedFrom(server, issuer, clients.of(id)) : undefined;
    },
    onWake: ports.onWake,
    onRecovered: (id) => events.usable.emit(id),
    onChange: () => events.changed.emit(),
  };
}

/** Builds the access tokens. After a company sign-in, those that had ended for lack of it are refreshed. */
export function buildAccessTokens(parts: OAuthParts): AccessTokens {
  const tokens = createAccessTokens(accessTokensDeps(parts));
  parts.events.companySignedIn.add((servers) => {
    for (const { id } of servers) if (tokens.state(id).kind === 'ended') void tokens.refreshNow(id);
  });
  return tokens;
}

/** The dependencies of the sign-ins, with every security check in place. */
export function signInsDeps(parts: OAuthParts, tokens: AccessTokens): SignInsDeps {
  const { ports, servers, vault, clients, notes, events, companies, running } = parts;
  return {
    ports,
    httpOf: (accountKey) => clients.of(accountKey),
    servers,
    vault,
    tokens,
    running,
    refusedClient(accountKey) {
      const state = tokens.state(accountKey);
      return state.kind === 'ended' && state.error.code === 'E_CLIENT_REFUSED'
        ? vault.facts(accountKey)?.clientId
        : undefined;
    },
    companies,
    challengeOf: (accountKey) => notes.get(accountKey).challenge,
    extraScopes: (accountKey) => [...notes.get(accountKey).missingScopes, ...learnedScopesOf(servers.find(accountKey))],
    onChange: () => events.changed.emit(),
  };
}

/** Builds the renewal of client registrations before they expire. */
export function buildRegistrationRenewal({
  ports,
  servers,
  vault,
  clients,
  networks,
}: OAuthParts): RegistrationRenewal {
  return createRegistrationRenewal({
    servers,
    vault,
    clock: ports.clock,
    log: ports.log,
    httpOf: (accountKey) => clients.of(accountKey),
    policyOf: (server) => networks.networkOf(server),
  });
}

/** Builds the views of the tokens that a user may see. */
export function buildTokenViews(
  { ports, vault, clients, networks, grants }: OAuthParts,
  tokens: AccessTokens,
): TokenViews {
  return createTokenViews({
    vault,
    tokens,
    clock: ports.clock,
    grants,
    policyOf: (credential) => networks.policyOf(credential),
    httpOf: (accountKey) => clients.of(accountKey),
  });
}
