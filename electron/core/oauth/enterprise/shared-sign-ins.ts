import type { SignInHosts } from '../../../../shared/model.ts';
import { asAppError } from '../../base/errors.ts';
import { orAborted } from '../../base/async.ts';
import type { AccountChoice } from '../authorization/account-choice.ts';
import { openForAttempt } from '../authorization/open-url.ts';
import { createKeySets } from '../identity/jwks.ts';
import { presetFor } from '../providers/presets.ts';
import {
  listenForRedirect,
  redirectPorts as usualPorts,
  type RedirectListener,
} from '../authorization/loopback-server.ts';
import { createAttempt, type Attempt } from '../authorization/attempt.ts';
import { cancelled } from '../authorization/sign-in-faults.ts';
import type { Company } from './company.ts';
import { signInAtCompany, type CompanyClient, type CompanySignedIn } from './company-sign-in.ts';
import type { AddressClass, Http, ServerNetwork } from '../../http/http.ts';
import type { AuthorizationServer, OAuthPorts } from '../model.ts';

export interface SharedSignInsDeps {
  readonly ports: Pick<OAuthPorts, 'clock' | 'log' | 'openBrowser'>;
  readonly httpFor: (companyId: string) => Http;
  readonly redirectPorts?: readonly number[];
  readonly choiceOf: (company: Company, metadata: AuthorizationServer) => AccountChoice;
  /** In which network the provider was found before; keeps where it is now. */
  readonly networkOf: (company: Company) => AddressClass | undefined;
  readonly found: (company: Company, network: ServerNetwork) => Promise<void>;
  /** Asks the person where the provider's endpoints lie at hosts of different owners. Throws as `Attempt.confirm`. */
  readonly confirm: (company: Company, hosts: SignInHosts, attempt: Attempt) => Promise<void>;
  /** Stores it; the sign-in has worked when this has. `exchangeAt`: of the servers that waited for it. */
  readonly done: (companyId: string, signedIn: CompanySignedIn, exchangeAt: readonly string[]) => Promise<void>;
  /** One was stored, but everybody had left before that. */
  readonly abandoned: () => void;
}

/** Sign-ins in the browser that several servers wait for together, one page per company. */
export interface SharedSignIns {
  running(companyId: string): boolean;
  /**
   * Starts one, or joins the one that runs; resolves when it is stored. A server that cancels leaves it; it ends with
   * the last one. Throws AppError.
   */
  join(client: CompanyClient, attempt: Attempt, openBrowser: boolean): Promise<void>;
  close(): Promise<void>;
}

interface Shared {
  readonly attempt: Attempt;
  /** With the origin where its server has the ID token exchanged, if it says one. */
  readonly followers: Map<Attempt, string | undefined>;
  readonly done: Promise<void>;
  /** Opens the page for one more who wants that; it is opened once. */
  readonly wantPage: () => void;
}

export function createSharedSignIns(deps: SharedSignInsDeps): SharedSignIns {
  const { ports } = deps;
  const all = new Map<string, Shared>();
  const retired = new Set<RedirectListener>();
  const keySets = createKeySets(ports.clock);

  /** A sign-in that ended a moment ago may still hold its port, to say so to a browser that comes twice. */
  async function freePorts(): Promise<void> {
    const listeners = [...retired];
    retired.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  function start(client: CompanyClient): Shared {
    const { id, issuer } = client.company;
    const followers = new Map<Attempt, string | undefined>();
    const attempt = createAttempt(ports.clock, () => {
      for (const follower of followers.keys()) follower.follow(attempt);
    });
    let wanted = false;
    let page: URL | undefined;
    let opened = false;
    const open = () => {
      if (!wanted || !page || opened) return;
      opened = true;
      openForAttempt(ports, attempt, page);
    };
    const run = async () => {
      let listener: RedirectListener | undefined;
      let stored = false;
      try {
        ports.log('company_sign_in_started', { issuer });
        const known = await signInAtCompany(
          {
            ports,
            http: deps.httpFor(id),
            keySets,
            known: deps.networkOf(client.company),
            found: (network) => deps.found(client.company, network),
            confirm: (hosts) => deps.confirm(client.company, hosts, attempt),
            choice: (metadata) => deps.choiceOf(client.company, metadata),
            async listen(options) {
              await freePorts();
              return (listener = await listenForRedirect({
                ...options,
                ports: deps.redirectPorts ?? usualPorts,
                anyPort: presetFor(issuer, undefined)?.loopbackPorts === 'any',
              }));
            },
            open(url) {
              page = url;
              open();
            },
          },
          client,
          attempt,
        );
        await deps.done(
          id,
          known,
          [...followers.values()].filter((origin) => origin !== undefined),
        );
        stored = true;
        ports.log('company_signed_in', { issuer });
      } catch (error) {
        ports.log('company_sign_in_failed', { issuer, code: asAppError(error).code });
        throw error;
      } finally {
        if (listener) retired.add(listener);
        if (all.get(id) === shared) all.delete(id);
        if (stored && attempt.signal.aborted) deps.abandoned();
      }
    };
    const wantPage = () => {
      wanted = true;
      open();
    };
    const shared: Shared = { attempt, followers, wantPage, done: Promise.resolve().then(run) };
    // Everybody who waits sees its end; nobody may be left.
    shared.done.catch(() => {});
    all.set(id, shared);
    return shared;
  }

  return {
    running: (companyId) => all.has(companyId),

    async join(client, attempt, openBrowser) {
      attempt.refuseIfCancelled();
      const { id } = client.company;
      const current = all.get(id);
      const shared = current && !current.attempt.signal.aborted ? current : start(client);
      shared.followers.set(attempt, client.exchangeAt);
      if (openBrowser) shared.wantPage();
      attempt.follow(shared.attempt);
      await orAborted(shared.done, attempt.signal, cancelled).finally(() => {
        shared.followers.delete(attempt);
        if (shared.followers.size === 0) shared.attempt.cancel();
      });
    },

    async close() {
      const running = [...all.values()];
      for (const { attempt } of running) attempt.cancel();
      await Promise.allSettled(running.map(({ done }) => done));
      await freePorts();
    },
  };
}
