import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { RepeatedGrant, Subject } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import { refuseOtherPerson } from '../authorization/account-choice.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { endpointHosts } from '../authorization/endpoint-hosts.ts';
import { openForAttempt } from '../authorization/open-url.ts';
import type { Companies } from '../enterprise/companies.ts';
import { createGrants } from '../grants/grants.ts';
import { identify, type Identity, type IdentityRequest } from '../identity/identity.ts';
import { createKeySets } from '../identity/jwks.ts';
import type { OAuthPorts } from '../model.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';
import { identityScopes, uniqueScopes } from '../scopes.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { createBrowserSignIn } from './authorization-code.ts';
import { signInByDevice } from './device-code.ts';
import { confirmHosts, discoverForSignIn, scopesFor, type DiscoverServerDeps } from './discover-server.ts';
import { repeatedGrantOf, signInByGrant } from './non-interactive.ts';
import { rulesFor } from './provider-rules.ts';
import type { SignInHosts } from '../../../../shared/sign-in-state.ts';

export interface SignInMethodsDeps extends Omit<DiscoverServerDeps, 'clock' | 'log' | 'servers'> {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log' | 'openBrowser'>;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'updateAccount' | 'unchecked'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret' | 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  /** The client ID that the authorization server rejected as unknown at the last refresh. */
  readonly refusedClient: (accountKey: string) => string | undefined;
  /** Sign-ins at companies' identity providers. */
  readonly companies: Companies;
  /** Ports for the redirect listener, in the order to try. Defaults to `redirectPorts`. */
  readonly redirectPorts?: readonly number[];
}

/** Discovery, then the sign-in by the method that the server's settings choose: browser, device code or grant. */
export interface SignInMethods {
  /** Returns 'again' if the server did not know our old registration, which has been dropped. Throws AppError. */
  signIn(server: Server, attempt: Attempt, openBrowser: boolean): Promise<'done' | 'again'>;
  /** Frees the ports of the redirect listeners. */
  close(): Promise<void>;
}

export function createSignInMethods(deps: SignInMethodsDeps): SignInMethods {
  const { ports, servers, vault, httpOf, tokens, companies } = deps;
  const { clock, log, openBrowser: opener } = ports;
  const grants = createGrants({ servers, vault, clock, companies });
  const unstored = new Map<string, Subject>();
  const keySets = createKeySets(clock);
  const registering: Omit<RegistrationDeps, 'http'> = { clock, servers, vault, pauses: new Map() };
  const discovering: DiscoverServerDeps = { ...deps, clock, log };
  const byBrowser = createBrowserSignIn({ ...deps, clock, grants, registering });

  async function signInPerson(server: Server, attempt: Attempt, openBrowser: boolean): Promise<'done' | 'again'> {
    const discovery = await discoverForSignIn(discovering, server, attempt.signal);
    attempt.setOtherHosts(discovery.otherHosts);
    const rules = rulesFor(server.settings, discovery);
    const byDevice = server.settings.grant === 'device_code';
    const confirm = (hosts: SignInHosts) => confirmHosts(deps, server, discovery, attempt, hosts);
    await confirm(endpointHosts(discovery.authorizationServer, byDevice ? 'device' : 'page'));
    const scopes = uniqueScopes([
      ...scopesFor(deps, server, discovery),
      ...identityScopes(server, discovery.authorizationServer.scopes_supported),
    ]);
    const whoIs = (request: Omit<IdentityRequest, 'owner'>) => identifyPerson(server, request);
    const open = (url: URL, userCode?: string) => {
      if (openBrowser) openForAttempt({ openBrowser: opener, log }, attempt, url, userCode);
    };
    if (!byDevice) return byBrowser.signIn({ server, discovery, rules, scopes, whoIs, open }, attempt);
    const device = { registering: { ...registering, http: httpOf(server.id) }, open, confirm, whoIs };
    return signInByDevice({ clock, servers, tokens, grants, ...device }, server, discovery, scopes, attempt);
  }

  async function signInWithoutPerson(
    server: Server,
    grant: RepeatedGrant,
    attempt: Attempt,
    openBrowser: boolean,
  ): Promise<'done'> {
    const discover = async () => {
      const discovery = await discoverForSignIn(discovering, server, attempt.signal);
      attempt.setOtherHosts(discovery.otherHosts);
      await confirmHosts(deps, server, discovery, attempt, endpointHosts(discovery.authorizationServer, 'none'));
      return { ...discovery, scopes: scopesFor(deps, server, discovery) };
    };
    const http = httpOf(server.id);
    await signInByGrant(
      { http, clock, servers, tokens, grants, companies, openBrowser, discover },
      server,
      grant,
      attempt,
    );
    return 'done';
  }

  /** Throws E_ACCOUNT_OTHER if a different person than expected signed in. */
  async function identifyPerson(server: Server, request: Omit<IdentityRequest, 'owner'>): Promise<Identity> {
    const identity = await identify({ http: httpOf(server.id), clock, log, keySets }, { ...request, owner: server.id });
    refuseOtherPerson({ servers, vault, unstored }, server, identity);
    if (identity.subject) unstored.set(server.id, identity.subject);
    return identity;
  }

  return {
    async signIn(server, attempt, openBrowser) {
      attempt.step('discover');
      const grant = repeatedGrantOf(server);
      if (grant) return signInWithoutPerson(server, grant, attempt, openBrowser);
      try {
        return await signInPerson(server, attempt, openBrowser);
      } finally {
        unstored.delete(server.id);
      }
    },
    close: () => byBrowser.close(),
  };
}
