import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { RepeatedGrant, Subject } from '../../vault/credential.ts';
import type { Vault } from '../../vault/credentials.ts';
import { refuseOtherPerson } from '../authorization/account-choice.ts';
import { createAttempt, type Attempt } from '../authorization/attempt.ts';
import { endpointHosts } from '../authorization/endpoint-hosts.ts';
import { openForAttempt } from '../authorization/open-url.ts';
import type { Companies } from '../enterprise/companies.ts';
import { createGrants } from '../grants/grants.ts';
import { identify, type Identity, type IdentityRequest } from '../identity/identity.ts';
import { createKeySets } from '../identity/jwks.ts';
import type { OAuthPorts, SignInProgress } from '../model.ts';
import { identityScopes, uniqueScopes } from '../scopes.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { createBrowserSignIn } from './authorization-code.ts';
import { signInByDevice } from './device-code.ts';
import { confirmHosts, current, discoverForSignIn, scopesFor, type DiscoverServerDeps } from './discover-server.ts';
import { repeatedGrantOf, signInByGrant } from './non-interactive.ts';
import { rulesFor } from './provider-rules.ts';
import { progressOf, type RunningSignIns } from './running.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';

/** All sign-ins: at most one per account at a time. */
export interface SignIns {
  /**
   * Runs the whole sign-in and resolves when the credential is stored. A second call for the same account joins the
   * running sign-in. Throws AppError.
   */
  start(
    accountKey: string,
    options: {
      readonly openBrowser: boolean;
      /** Somebody can respond to the step `confirm`. */ readonly canAsk?: boolean;
    },
  ): Promise<void>;
  cancel(accountKey: string): void;
  /** Cancels a running sign-in, then does the work; a sign-in that starts meanwhile waits until it is done. */
  without<Value>(accountKey: string, work: () => Promise<Value>): Promise<Value>;
  /**
   * Gives a waiting sign-in the address that the browser was redirected to, and waits until it has ended. Throws
   * E_REDIRECT_URL, E_SERVER_UNKNOWN, and what the sign-in throws.
   */
  finish(accountKey: string, redirectUrl: string): Promise<void>;
  /** The person confirms the hosts that the status names. Throws E_SERVER_UNKNOWN, E_BAD_INPUT. */
  confirm(accountKey: string, hosts: readonly EndpointHost[]): void;
  progress(accountKey: string): SignInProgress | undefined;
  /** Cancels all sign-ins. */
  close(): Promise<void>;
}

export interface SignInsDeps extends Omit<DiscoverServerDeps, 'clock' | 'log' | 'servers'> {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log' | 'openBrowser'>;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'updateAccount' | 'unchecked'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret' | 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  /** The client ID with which a refresh failed because the authorization server no longer knows it. */
  readonly refusedClient: (accountKey: string) => string | undefined;
  /** Sign-ins at companies' identity providers. */
  readonly companies: Companies;
  /** Where the running sign-ins are kept; empty at first. */
  readonly running: RunningSignIns;
  readonly onChange: (accountKey: string) => void;
  /** Ports for the redirect, in the order of trying; `redirectPorts` when absent. */
  readonly redirectPorts?: readonly number[];
}

export function createSignIns(deps: SignInsDeps): SignIns {
  const { ports, servers, vault, httpOf, tokens, companies, running } = deps;
  const { clock, log, openBrowser: opener } = ports;
  const grants = createGrants({ servers, vault, clock, companies });
  const leaving = new Map<string, Promise<unknown>>();
  const unstored = new Map<string, Subject>();
  const keySets = createKeySets(clock);
  const registering: Omit<RegistrationDeps, 'http'> = { clock, servers, vault, pauses: new Map() };
  const discovering: DiscoverServerDeps = { ...deps, clock, log };
  const byBrowser = createBrowserSignIn({ ...deps, clock, grants, registering });

  /** 'again': the server did not know our old registration, which has been dropped. */
  async function signIn(server: Server, attempt: Attempt, openBrowser: boolean): Promise<'done' | 'again'> {
    attempt.step('discover');
    const grant = repeatedGrantOf(server);
    if (grant) return signInWithoutPerson(server, grant, attempt, openBrowser);
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
    return signInByDevice(
      {
        registering: { ...registering, http: httpOf(server.id) },
        clock,
        servers,
        tokens,
        grants,
        open,
        confirm,
        whoIs,
      },
      server,
      discovery,
      scopes,
      attempt,
    );
  }

  async function signInWithoutPerson(
    server: Server,
    grant: RepeatedGrant,
    attempt: Attempt,
    openBrowser: boolean,
  ): Promise<'done'> {
    const discoverServer = async () => {
      const discovery = await discoverForSignIn(discovering, server, attempt.signal);
      attempt.setOtherHosts(discovery.otherHosts);
      const hosts = endpointHosts(discovery.authorizationServer, 'none');
      await confirmHosts(deps, server, discovery, attempt, hosts);
      return { ...discovery, scopes: scopesFor(deps, server, discovery) };
    };
    await signInByGrant(
      { http: httpOf(server.id), clock, servers, tokens, grants, companies, openBrowser, discover: discoverServer },
      server,
      grant,
      attempt,
    );
    return 'done';
  }

  /** Throws E_ACCOUNT_OTHER where this is another person than expected. */
  async function identifyPerson(server: Server, request: Omit<IdentityRequest, 'owner'>): Promise<Identity> {
    const identity = await identify({ http: httpOf(server.id), clock, log, keySets }, { ...request, owner: server.id });
    refuseOtherPerson({ servers, vault, unstored }, server, identity);
    if (identity.subject) unstored.set(server.id, identity.subject);
    return identity;
  }

  async function run(
    accountKey: string,
    attempt: Attempt,
    openBrowser: boolean,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const name = current(deps, accountKey).name;
    try {
      await before?.catch(() => {});
      const left = leaving.get(accountKey);
      if (left) log('sign_in_waits', { server: name });
      await left;
      attempt.refuseIfCancelled();
      log('sign_in_started', { server: name });
      // Each round has dropped a registration that the server no longer knows, so this ends.
      while ((await signIn(current(deps, accountKey), attempt, openBrowser)) === 'again');
      log('signed_in', { server: name });
    } catch (error) {
      const known = asAppError(error, name);
      log('sign_in_failed', { server: name, code: known.code });
      throw known;
    } finally {
      unstored.delete(accountKey);
      if (running.get(accountKey)?.attempt === attempt) running.delete(accountKey);
      deps.onChange(accountKey);
    }
  }

  return {
    async start(accountKey, { openBrowser, canAsk = false }) {
      const before = running.get(accountKey);
      if (before && canAsk) before.attempt.allowQuestions();
      if (before && !before.attempt.signal.aborted) return before.done;
      current(deps, accountKey);
      const attempt = createAttempt(clock, () => deps.onChange(accountKey));
      if (canAsk) attempt.allowQuestions();
      const done = run(accountKey, attempt, openBrowser, before?.done);
      running.set(accountKey, { attempt, done });
      return done;
    },
    cancel(accountKey) {
      running.get(accountKey)?.attempt.cancel();
    },
    async without(accountKey, work) {
      running.get(accountKey)?.attempt.cancel();
      const done = work();
      const ended = Promise.allSettled([leaving.get(accountKey), done]);
      leaving.set(accountKey, ended);
      void ended.finally(() => leaving.get(accountKey) === ended && leaving.delete(accountKey));
      return done;
    },
    async finish(accountKey, redirectUrl) {
      const { name } = current(deps, accountKey);
      const { attempt, done } = running.get(accountKey) ?? {};
      if (!attempt || attempt.signal.aborted)
        throw new AppError('E_REDIRECT_URL', 'No sign-in is waiting for an address.', { server: name });
      attempt.paste(redirectUrl.trim());
      await done;
    },
    confirm(accountKey, hosts) {
      const { name } = current(deps, accountKey);
      const { attempt } = running.get(accountKey) ?? {};
      if (!attempt || attempt.signal.aborted)
        throw new AppError('E_BAD_INPUT', 'No sign-in is waiting for a confirmation.', { server: name });
      attempt.confirmed(hosts);
    },
    progress: (accountKey) => progressOf(running, accountKey),
    async close() {
      const all = [...running.values()];
      for (const { attempt } of all) attempt.cancel();
      await Promise.allSettled(all.map(({ done }) => done));
      await byBrowser.close();
    },
  };
}
