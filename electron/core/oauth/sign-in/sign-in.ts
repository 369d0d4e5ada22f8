import type { EndpointHost, SignInHosts } from '../../../../shared/model.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import { keepNetwork, knownNetwork } from '../../servers/networks.ts';
import { keepSeen } from '../../servers/seen.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { refuseOtherPerson } from '../authorization/account-choice.ts';
import { openAuthorizationUrl } from '../authorization/open-url.ts';
import { createBrowserSignIn } from './authorization-code.ts';
import { discover } from '../discovery/discovery.ts';
import type { Companies } from '../enterprise/companies.ts';
import { createGrants } from '../grants/grants.ts';
import { identify, type IdentityRequest } from '../identity/identity.ts';
import { createKeySets } from '../identity/jwks.ts';
import { signInByDevice } from './device-code.ts';
import { repeatedGrantOf, signInByGrant } from './non-interactive.ts';
import type { RegistrationDeps } from '../registration/registration.ts';
import { endpointHosts, needsConfirmation, withConfirmed } from '../authorization/endpoint-hosts.ts';
import { identityScopes, uniqueScopes } from '../scopes.ts';
import { rulesFor } from './provider-rules.ts';
import { progressOf, type RunningSignIns } from './running.ts';
import { createAttempt, type Attempt } from '../authorization/attempt.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { Http } from '../../http/http.ts';
import type { Challenge, Discovery, SignInProgress, OAuthPorts } from '../model.ts';
import type { Subject } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/** The LOGIN PATH, one sign-in per account at a time. */
export interface SignIns {
  /**
   * Runs the whole sign-in and resolves when the credential is stored. A second call for the same account joins the
   * first. Throws AppError.
   */
  start(
    accountKey: string,
    options: {
      readonly openBrowser: boolean;
      /** Somebody can answer the step `confirm`. */ readonly canAsk?: boolean;
    },
  ): Promise<void>;
  cancel(accountKey: string): void;
  /** Cancels the sign-in that runs; one that begins before `work` has ended waits for that. */
  without<Value>(accountKey: string, work: () => Promise<Value>): Promise<Value>;
  /**
   * Gives a waiting sign-in the address that the browser was sent to, and waits for its end. Throws E_REDIRECT_URL,
   * E_SERVER_UNKNOWN, and what the sign-in throws.
   */
  finish(accountKey: string, redirectUrl: string): Promise<void>;
  /** The person confirms the hosts that the state names. Throws E_SERVER_UNKNOWN, E_BAD_INPUT. */
  confirm(accountKey: string, hosts: readonly EndpointHost[]): void;
  progress(accountKey: string): SignInProgress | undefined;
  /** Cancels all. */
  close(): Promise<void>;
}

export interface SignInsDeps {
  readonly ports: Pick<OAuthPorts, 'http' | 'clock' | 'log' | 'openBrowser'>;
  /** The client of an account; absent: `ports.http` for all. */
  readonly httpOf?: (accountKey: string) => Http;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'updateAccount' | 'unchecked'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret' | 'facts'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  /** The client ID that a refresh ended with, because the authorization server knew it no more. */
  readonly refusedClient?: (accountKey: string) => string | undefined;
  /** Sign-ins at companies' identity providers. */
  readonly companies: Companies;
  /** Where the sign-ins that run are kept; empty at first. */
  readonly running: RunningSignIns;
  /** The newest challenge that the server gave to a call. */
  readonly challengeOf: (accountKey: string) => Challenge | undefined;
  /** Scopes that the server asked for and did not get (step-up). */
  readonly extraScopes: (accountKey: string) => readonly string[];
  readonly onChange: (accountKey: string) => void;
  /** Ports for the redirect, in the order of trying; `redirectPorts` when absent. */
  readonly redirectPorts?: readonly number[];
}

type Protected = Extract<Discovery, { kind: 'protected' }>;

export function createSignIns(deps: SignInsDeps): SignIns {
  const { ports, servers, running } = deps;
  const httpOf = ({ id }: Server) => deps.httpOf?.(id) ?? ports.http;
  const grants = createGrants({ servers, vault: deps.vault, clock: ports.clock, companies: deps.companies });
  const leaving = new Map<string, Promise<unknown>>();
  const arriving = new Map<string, Subject>();
  const keySets = createKeySets(ports.clock);
  const registering: RegistrationDeps = {
    http: ports.http,
    clock: ports.clock,
    servers,
    vault: deps.vault,
    pauses: new Map(),
  };
  const byBrowser = createBrowserSignIn({ ...deps, clock: ports.clock, httpOf, grants, registering });

  /** The LOGIN PATH. 'again': the server did not know our old registration, which is dropped now. */
  async function signIn(server: Server, attempt: Attempt, openBrowser: boolean): Promise<'done' | 'again'> {
    const { signal } = attempt;
    attempt.step('discover');
    const grant = repeatedGrantOf(server);
    if (grant) {
      const withScopes = async () => {
        const found = await protectedBy(server, signal);
        attempt.passesThrough(found.otherHosts);
        await confirmHosts(server, found, attempt, endpointHosts(found.authorizationServer, 'none'));
        return { ...found, scopes: scopesFor(server, found) };
      };
      await signInByGrant(
        {
          http: httpOf(server),
          clock: ports.clock,
          servers,
          tokens: deps.tokens,
          grants,
          companies: deps.companies,
          openBrowser,
          discover: withScopes,
        },
        server,
        grant,
        attempt,
      );
      return 'done';
    }
    const discovery = await protectedBy(server, signal);
    attempt.passesThrough(discovery.otherHosts);
    const rules = rulesFor(server.settings, discovery);
    const byDevice = server.settings.grant === 'device_code';
    const confirm = (hosts: SignInHosts) => confirmHosts(server, discovery, attempt, hosts);
    await confirm(endpointHosts(discovery.authorizationServer, byDevice ? 'device' : 'page'));
    const scopes = uniqueScopes([
      ...scopesFor(server, discovery),
      ...identityScopes(server, discovery.authorizationServer.scopes_supported),
    ]);
    const whoIs = async (request: Omit<IdentityRequest, 'owner'>) => {
      const identity = await identify(
        { http: httpOf(server), clock: ports.clock, log: ports.log, keySets },
        { ...request, owner: server.id },
      );
      refuseOtherPerson({ servers, vault: deps.vault, arriving }, server, identity);
      if (identity.subject) arriving.set(server.id, identity.subject);
      return identity;
    };
    if (byDevice) {
      const open = (url: URL, userCode: string) => openBrowser && openInBrowser(attempt, url, userCode);
      return signInByDevice(
        {
          registering: { ...registering, http: httpOf(server) },
          clock: ports.clock,
          servers,
          tokens: deps.tokens,
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
    return byBrowser.signIn(
      {
        server,
        discovery,
        rules,
        scopes,
        whoIs,
        ...(openBrowser ? { open: (url) => openInBrowser(attempt, url) } : {}),
      },
      attempt,
    );
  }

  /** Before anything is sent there. The answer holds for this server and exactly these hosts. */
  async function confirmHosts(
    { id, settings: { preset } }: Server,
    { issuerNamed }: Protected,
    attempt: Attempt,
    hosts: SignInHosts,
  ): Promise<void> {
    if (!needsConfirmation(hosts, { named: issuerNamed, preset, confirmed: found(id).confirmedHosts })) return;
    await attempt.confirm(hosts);
    await servers.update(id, { confirmedHosts: withConfirmed(found(id).confirmedHosts, hosts) });
  }

  async function protectedBy(server: Server, signal: AbortSignal): Promise<Protected> {
    const challenge = deps.challengeOf(server.id);
    const discovery = await discover(new URL(server.url), {
      http: httpOf(server),
      signal,
      settings: server.settings,
      network: knownNetwork(server, server.url),
      ...(challenge ? { challenge } : {}),
    });
    await keepNetwork({ servers, log: ports.log }, server.id, discovery.allow);
    await keepSeen(servers, server, discovery.kind === 'open' ? 'open' : 'sign_in', ports.clock.now());
    if (discovery.kind === 'protected') {
      // Kept among the settings, where the user sees it and can switch it off: the refresh needs the key, too.
      if (discovery.dpopRequired && server.settings.dpop === undefined)
        await servers.update(server.id, { settings: { ...found(server.id).settings, dpop: true } });
      return discovery;
    }
    throw new AppError('E_NO_SIGN_IN', `${server.name} answers without a sign-in: there is nothing to sign in to.`);
  }

  /** A step-up asks for what was asked for before, too: the new token replaces the old one. */
  function scopesFor(server: Server, discovery: Protected): readonly string[] {
    const extra = deps.extraScopes(server.id);
    if (extra.length === 0) return discovery.scopes;
    const before = deps.vault.facts(server.id)?.requestedScopes ?? [];
    return uniqueScopes([...before, ...discovery.scopes, ...extra]);
  }

  /** Not awaited: some openers return only when the browser is closed. */
  function openInBrowser(attempt: Attempt, url: URL, userCode?: string): void {
    openAuthorizationUrl(ports.openBrowser, url).catch((error: unknown) => {
      ports.log('browser_failed', { code: asAppError(error).code });
      const { step, endsAt } = attempt.progress();
      if (step === 'browser')
        attempt.step('browser', {
          url: url.href,
          browserFailed: true,
          ...(userCode === undefined ? {} : { userCode }),
          ...(endsAt === undefined ? {} : { endsAt }),
        });
    });
  }

  async function run(
    accountKey: string,
    attempt: Attempt,
    openBrowser: boolean,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const name = found(accountKey).name;
    try {
      await before?.catch(() => {});
      const left = leaving.get(accountKey);
      if (left) ports.log('sign_in_waits', { server: name });
      await left;
      attempt.refuseIfCancelled();
      ports.log('sign_in_started', { server: name });
      // Each round has dropped a registration that the server knows no more; a new one is never refused as an old one.
      while ((await signIn(found(accountKey), attempt, openBrowser)) === 'again');
      ports.log('signed_in', { server: name });
    } catch (error) {
      const known = asAppError(error, name);
      ports.log('sign_in_failed', { server: name, code: known.code });
      throw known;
    } finally {
      arriving.delete(accountKey);
      if (running.get(accountKey)?.attempt === attempt) running.delete(accountKey);
      deps.onChange(accountKey);
    }
  }

  function found(accountKey: string): Server {
    const server = servers.find(accountKey);
    if (!server) throw new AppError('E_SERVER_UNKNOWN', 'There is no such server.');
    return server;
  }

  return {
    async start(accountKey, { openBrowser, canAsk = false }) {
      const before = running.get(accountKey);
      if (before && canAsk) before.attempt.allowQuestions();
      if (before && !before.attempt.signal.aborted) return before.done;
      found(accountKey);
      const attempt = createAttempt(ports.clock, () => deps.onChange(accountKey));
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
      const { name } = found(accountKey);
      const { attempt, done } = running.get(accountKey) ?? {};
      if (!attempt || attempt.signal.aborted)
        throw new AppError('E_REDIRECT_URL', 'No sign-in is waiting for an address.', { server: name });
      attempt.paste(redirectUrl.trim());
      await done;
    },
    confirm(accountKey, hosts) {
      const { name } = found(accountKey);
      const { attempt } = running.get(accountKey) ?? {};
      if (!attempt || attempt.signal.aborted)
        throw new AppError('E_BAD_INPUT', 'No sign-in waits for a confirmation.', { server: name });
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
