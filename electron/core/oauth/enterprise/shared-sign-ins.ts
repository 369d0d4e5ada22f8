import { asAppError } from '../../base/errors.ts';
import { orAborted } from '../../base/async.ts';
import type { AccountChoice } from '../authorization/account-choice.ts';
import { openForAttempt } from '../authorization/open-url.ts';
import { createKeySets, type KeySets } from '../identity/jwks.ts';
import { presetFor } from '../providers/presets.ts';
import {
  listenForRedirect,
  redirectPorts as defaultPorts,
  type RedirectListener,
} from '../authorization/loopback-server.ts';
import { createAttempt, type Attempt } from '../authorization/attempt.ts';
import { cancelled } from '../authorization/sign-in-faults.ts';
import type { Company } from './company.ts';
import { signInAtCompany, type CompanyClient, type CompanySignedIn } from './company-sign-in.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { AuthorizationServer, OAuthPorts } from '../model.ts';
import type { SignInHosts } from '../../../../shared/sign-in-state.ts';

export interface SharedSignInsDeps {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log' | 'openBrowser'>;
  readonly httpFor: (companyId: string) => Http;
  readonly redirectPorts?: readonly number[];
  readonly accountChoice: (company: Company, metadata: AuthorizationServer) => AccountChoice;
  /** The network in which the provider was found before. */
  readonly networkOf: (company: Company) => AddressClass | undefined;
  readonly saveNetwork: (company: Company, network: ServerNetwork) => Promise<void>;
  /** Asks the user if the provider's endpoints are on hosts with different owners. Throws as `Attempt.confirm`. */
  readonly confirm: (company: Company, hosts: SignInHosts, attempt: Attempt) => Promise<void>;
  /** Stores the sign-in. `exchangeAt`: the token endpoints of the servers that share it, as origins. */
  readonly store: (companyId: string, signedIn: CompanySignedIn, exchangeAt: readonly string[]) => Promise<void>;
  /** Called when a sign-in was stored after the last server that wanted it had cancelled. */
  readonly onAbandoned: () => void;
}

/** Sign-ins in the browser, one page per company, which several servers can share. */
export interface SharedSignIns {
  running(companyId: string): boolean;
  /**
   * Starts a sign-in, or joins the one that is running. Resolves when it is stored. When the last server has cancelled,
   * the sign-in is cancelled too. Throws AppError.
   */
  join(client: CompanyClient, attempt: Attempt, openBrowser: boolean): Promise<void>;
  close(): Promise<void>;
}

interface SharedSignIn {
  readonly attempt: Attempt;
  /** The attempts that share it, each with its server's own origin for the token exchange, if it has one. */
  readonly followers: Map<Attempt, string | undefined>;
  readonly done: Promise<void>;
  readonly page: PageOpener;
}

export function createSharedSignIns(deps: SharedSignInsDeps): SharedSignIns {
  const { ports } = deps;
  const running = new Map<string, SharedSignIn>();
  const retired = createRetiredListeners();
  const keySets = createKeySets(ports.clock);

  function start(client: CompanyClient): SharedSignIn {
    const { id } = client.company;
    const followers = new Map<Attempt, string | undefined>();
    const attempt = createAttempt(ports.clock, () => {
      for (const follower of followers.keys()) follower.follow(attempt);
    });
    const page = createPageOpener((url) => openForAttempt(ports, attempt, url));
    const exchangeAt = () => [...followers.values()].filter((origin) => origin !== undefined);
    const run = async () => {
      let stored = false;
      try {
        await signInAndStore(deps, { client, attempt, page, retired, keySets, exchangeAt });
        stored = true;
      } finally {
        if (running.get(id) === shared) running.delete(id);
        if (stored && attempt.signal.aborted) deps.onAbandoned();
      }
    };
    const shared: SharedSignIn = { attempt, followers, page, done: Promise.resolve().then(run) };
    // Every follower awaits it, but all of them may have cancelled.
    shared.done.catch(() => {});
    running.set(id, shared);
    return shared;
  }

  return {
    running: (companyId) => running.has(companyId),

    async join(client, attempt, openBrowser) {
      attempt.refuseIfCancelled();
      const current = running.get(client.company.id);
      const shared = current && !current.attempt.signal.aborted ? current : start(client);
      shared.followers.set(attempt, client.exchangeAt);
      if (openBrowser) shared.page.request();
      attempt.follow(shared.attempt);
      await orAborted(shared.done, attempt.signal, cancelled).finally(() => {
        shared.followers.delete(attempt);
        if (shared.followers.size === 0) shared.attempt.cancel();
      });
    },

    async close() {
      const all = [...running.values()];
      for (const { attempt } of all) attempt.cancel();
      await Promise.allSettled(all.map(({ done }) => done));
      await retired.close();
    },
  };
}

interface SignInParts {
  readonly client: CompanyClient;
  readonly attempt: Attempt;
  readonly page: PageOpener;
  readonly retired: RetiredListeners;
  readonly keySets: KeySets;
  /** Read when the sign-in has succeeded: servers may join until then. */
  readonly exchangeAt: () => readonly string[];
}

async function signInAndStore(
  deps: SharedSignInsDeps,
  { client, attempt, page, retired, keySets, exchangeAt }: SignInParts,
): Promise<void> {
  const { ports } = deps;
  const { id, issuer } = client.company;
  let listener: RedirectListener | undefined;
  try {
    ports.log('company_sign_in_started', { issuer });
    const signedIn = await signInAtCompany(
      {
        ports,
        http: deps.httpFor(id),
        keySets,
        network: deps.networkOf(client.company),
        saveNetwork: (network) => deps.saveNetwork(client.company, network),
        confirm: (hosts) => deps.confirm(client.company, hosts, attempt),
        accountChoice: (metadata) => deps.accountChoice(client.company, metadata),
        async listen(options) {
          await retired.close();
          listener = await listenForRedirect({
            ...options,
            ports: deps.redirectPorts ?? defaultPorts,
            anyPort: presetFor(issuer, undefined)?.loopbackPorts === 'any',
          });
          return listener;
        },
        open: (url) => page.offer(url),
      },
      client,
      attempt,
    );
    await deps.store(id, signedIn, exchangeAt());
    ports.log('company_signed_in', { issuer });
  } catch (error) {
    ports.log('company_sign_in_failed', { issuer, code: asAppError(error).code });
    throw error;
  } finally {
    if (listener) retired.add(listener);
  }
}

interface PageOpener {
  /** Opens the page as soon as its URL is known. It is opened once. */
  request(): void;
  offer(url: URL): void;
}

function createPageOpener(open: (url: URL) => void): PageOpener {
  let requested = false;
  let page: URL | undefined;
  let opened = false;
  const openOnce = () => {
    if (!requested || !page || opened) return;
    opened = true;
    open(page);
  };
  return {
    request() {
      requested = true;
      openOnce();
    },
    offer(url) {
      page = url;
      openOnce();
    },
  };
}

interface RetiredListeners {
  add(listener: RedirectListener): void;
  /** Closes them all, which frees their ports. */
  close(): Promise<void>;
}

/** Listeners of finished sign-ins. Each keeps its port for a while, to show the result to a browser that reloads. */
function createRetiredListeners(): RetiredListeners {
  const retired = new Set<RedirectListener>();
  return {
    add: (listener) => void retired.add(listener),
    async close() {
      const listeners = [...retired];
      retired.clear();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}
