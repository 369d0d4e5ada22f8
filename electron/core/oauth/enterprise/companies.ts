import { AppError, asAppError } from '../../base/errors.ts';
import { findNetwork } from '../../http/network.ts';
import type { Secret } from '../../base/secret.ts';
import { keepNetwork, knownNetwork } from '../../servers/networks.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { enteredSecret } from '../entered-secrets.ts';
import { clientOfCredential } from '../token-endpoint/token-client.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import { accountChoice, refuseOtherPerson } from '../authorization/account-choice.ts';
import { needsConfirmation, refuseUnconfirmed, withConfirmed } from '../authorization/endpoint-hosts.ts';
import type { Identity } from '../identity/identity.ts';
import { presetFor } from '../providers/presets.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { createAccessTokens } from '../tokens/access-tokens.ts';
import { atCompanyOf } from '../../servers/secret-binding.ts';
import {
  bindOldSignIns,
  confirmExchange,
  exchangeElsewhere,
  exchangeOriginOf,
  exchangeOrigins,
  withExchange,
} from './exchange-origins.ts';
import { companyHttp } from './company-http.ts';
import { companyOf, isCompanyId, type Company } from './company.ts';
import { createSharedSignIns } from './shared-sign-ins.ts';
import { idTokenReader, isOver } from './id-token-response.ts';
import { atCompany } from './identity-provider.ts';
import { idTokenIn, neededCompany, needsPerson } from './company-token.ts';
import { noGrants } from './no-grants.ts';
import type { AddressClass, AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { TokenClient, OAuthPorts } from '../model.ts';
import type { Server } from '../../servers/server.ts';

/** What a server needs of its company for a token exchange: who the person is, and who we are there. */
interface CompanyIdentity {
  readonly idToken: Secret;
  /** False: when it ends, the person has to sign in again. */
  readonly renewable: boolean;
  readonly client: TokenClient;
}

/** What became of a company's sign-in that no server uses any more. */
type CompanyEnding = 'confirmed' | 'not_offered' | 'failed';

/**
 * Sign-ins at companies' identity providers, each for all servers that name the same issuer and client. Its refresh
 * goes by docs/refresh.md like any other; what it yields is an ID token instead of an access token.
 */
export interface Companies {
  /** A person signs in, unless somebody has already; servers that ask meanwhile join the one page. Throws AppError. */
  signIn(server: Server, attempt: Attempt, options: { readonly openBrowser: boolean }): Promise<void>;
  /**
   * Never opens a browser. `refused`: the ID token that the company has just refused. Throws E_SIGN_IN_AGAIN when only
   * a person can go on, and passing faults.
   */
  identity(
    server: Server,
    options?: { readonly refused?: Secret; readonly signal?: AbortSignal },
  ): Promise<CompanyIdentity>;
  /** The client for the identity provider of this server's company, also where its ID token was entered by hand. */
  httpOf(server: Server): Http;
  /** Who is signed in there. */
  person(server: Server): Identity;
  /**
   * Revokes and deletes the sign-ins that no server uses any more; of several the worst. Undefined: there were none.
   */
  release(): Promise<CompanyEnding | undefined>;
  /** Tries again those that waited for the store. */
  unblock(): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface CompaniesDeps {
  readonly ports: Pick<OAuthPorts, 'http' | 'clock' | 'log' | 'openBrowser' | 'onWake'>;
  readonly servers: Pick<Servers, 'list' | 'find' | 'update' | 'setAside' | 'unchecked'>;
  readonly vault: Vault;
  /** Whether a sign-in to this server runs. */
  readonly signingIn: (accountKey: string) => boolean;
  /** A person has signed in at the company: what waited for that in these servers can go on. */
  readonly onSignedIn: (servers: readonly Server[]) => void;
  /** Ports for the redirect, in the order of trying. */
  readonly redirectPorts?: readonly number[];
}

export function createCompanies(deps: CompaniesDeps): Companies {
  const { ports, servers, vault } = deps;
  const { clock, log } = ports;
  const serversOf = (id: string) => servers.list().filter((server) => companyOf(server)?.id === id);
  const https = new Map<string, Http>();
  const httpMade = (key: string, servers: () => readonly Server[]): Http => {
    const http = https.get(key) ?? companyHttp(servers, ports.http);
    https.set(key, http);
    return http;
  };
  const httpFor = (id: string) => httpMade(id, () => serversOf(id));
  const ending = createSemaphore(1);
  const confirmedOf = (id: string) => serversOf(id).flatMap(({ confirmedHosts }) => confirmedHosts);

  /** What one of its servers has found holds for all: a provider that was public once is public for good. */
  function networkOf({ id, issuer }: { readonly id: string; readonly issuer: string }): AddressClass | undefined {
    const known = serversOf(id).map((server) => knownNetwork(server, issuer));
    return known.includes('public') ? 'public' : known.find((one) => one !== undefined);
  }

  async function policyOf(credential: Credential): Promise<AddressPolicy> {
    refuseUnconfirmed(credential, { preset: undefined, confirmed: confirmedOf(credential.id) });
    // Any of its pages will do: this one is there to be read by everybody.
    const url = new URL('/.well-known/openid-configuration', credential.issuer);
    return findNetwork(httpFor(credential.id), url, networkOf(credential));
  }

  const keeper = createAccessTokens({
    httpOf: httpFor,
    clock,
    log,
    vault,
    onWake: ports.onWake,
    owns: isCompanyId,
    grants: noGrants,
    policyOf,
    // Its tokens go to the identity provider alone, which is not in the list of servers.
    serverUrlOf: () => undefined,
    movedFrom: async () => undefined,
    readResponse: ({ issuer, clientId, subject }) =>
      idTokenReader({ issuer, clientId, ...(subject ? { subject: subject.sub } : {}) }),
    // An ID token is for its client, whose ID may be an address, and goes back to its issuer alone.
    audienceFault: () => undefined,
    onRecovered: (id) => deps.onSignedIn(serversOf(id)),
    onChange: () => {},
  });
  const shared = createSharedSignIns({
    ports,
    httpFor,
    ...(deps.redirectPorts ? { redirectPorts: deps.redirectPorts } : {}),
    choiceOf: ({ id, issuer, separate }, metadata) =>
      accountChoice(deps, { id, account: { alone: !separate } }, metadata, presetFor(issuer, undefined)),
    networkOf,
    async found({ id }, network) {
      for (const server of serversOf(id)) await keepNetwork({ servers, log }, server.id, network);
    },
    async confirm({ id, issuer }, hosts, attempt) {
      if (!needsConfirmation(hosts, { named: issuer, preset: undefined, confirmed: confirmedOf(id) })) return;
      await attempt.confirm(hosts);
      for (const server of serversOf(id))
        await servers.update(server.id, {
          confirmedHosts: withConfirmed(server.confirmedHosts, withExchange(server.confirmedHosts, hosts)),
        });
    },
    async done(id, { credential, idToken, lifeMs }, exchangeAt) {
      for (const server of serversOf(id)) refuseOtherPerson({ ...deps, unstored: new Map() }, server, credential);
      await keeper.adopt(
        { ...credential, exchangeOrigins: await exchangeOrigins(vault, id, exchangeAt) },
        idToken,
        lifeMs,
      );
      deps.onSignedIn(serversOf(id));
    },
    abandoned: () =>
      void release().catch((error: unknown) => log('company_not_released', { code: asAppError(error).code })),
  });

  /** For a person who waits: one try, whatever the back-off says. Throws the fault when that may pass. */
  async function isSignedIn(company: Company, server: Server): Promise<boolean> {
    if (keeper.state(company.id).kind === 'ended') return false;
    try {
      const token = keeper.current(company.id)?.token;
      const answer =
        token && !isOver(token, clock.now())
          ? await keeper.accessToken(company.id)
          : await keeper.refreshNow(company.id);
      idTokenIn(answer, company);
      const read = await vault.read(company.id);
      return read.kind !== 'found' || exchangeElsewhere(read.credential, server) === undefined;
    } catch (error) {
      if (needsPerson(asAppError(error))) return false;
      throw error;
    }
  }

  async function idTokenOf(
    company: Company,
    refused: Secret | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Secret> {
    return idTokenIn(
      await keeper.accessToken(company.id, {
        ...(refused ? { rejected: refused } : {}),
        ...(signal ? { signal } : {}),
      }),
      company,
    );
  }

  const release = (): Promise<CompanyEnding | undefined> =>
    ending.run(async () => {
      // One that is set aside may come back, and nobody knows what it uses.
      if (servers.setAside.length > 0) return undefined;
      const used = new Set(
        servers
          .list()
          .flatMap((server) =>
            vault.facts(server.id) || deps.signingIn(server.id) ? (companyOf(server)?.id ?? []) : [],
          ),
      );
      const endings: (CompanyEnding | undefined)[] = [];
      for (const id of vault.ids().filter(isCompanyId)) {
        if (used.has(id) || shared.running(id)) continue;
        const { revoked, deleted } = await keeper.signOut(id);
        endings.push(
          !deleted ? 'failed' : revoked === 'nothing_to_revoke' || revoked === 'key_stays' ? undefined : revoked,
        );
      }
      return (['failed', 'not_offered', 'confirmed'] as const).find((one) => endings.includes(one));
    });

  return {
    async signIn(server, attempt, { openBrowser }) {
      const company = neededCompany(server);
      if (!shared.running(company.id)) {
        if (await isSignedIn(company, server)) return;
      }
      await confirmExchange({ servers, confirmed: confirmedOf(company.id) }, company, server, attempt);
      const clientSecret = await enteredSecret(vault, server, 'enterpriseClientSecret', atCompanyOf(server));
      const redirectHost = server.settings.enterprise?.redirectHost ?? '127.0.0.1';
      await shared.join(
        { company, clientSecret, redirectHost, serverName: server.name, exchangeAt: exchangeOriginOf(server) },
        attempt,
        openBrowser,
      );
    },

    async identity(server, { refused, signal } = {}) {
      const company = neededCompany(server);
      const idToken = await idTokenOf(company, refused, signal);
      const read = await vault.read(company.id);
      const elsewhere = read.kind === 'found' ? exchangeElsewhere(read.credential, server) : undefined;
      if (elsewhere) throw atCompany(elsewhere, company.issuer);
      if (read.kind === 'found')
        return {
          idToken,
          renewable: read.credential.refreshToken !== undefined,
          client: clientOfCredential(read.credential, await policyOf(read.credential)),
        };
      if (read.kind === 'absent' || read.kind === 'damaged')
        throw atCompany(new AppError('E_SIGN_IN_AGAIN', 'The sign-in is no longer in the keychain.'), company.issuer);
      throw storeFault(read, 'The company sign-in could not be read');
    },

    httpOf(server) {
      const company = companyOf(server);
      return company
        ? httpFor(company.id)
        : httpMade(server.id, () => servers.list().filter(({ id }) => id === server.id));
    },

    person(server) {
      const company = companyOf(server);
      const { subject, account, idTokenClaims, identityNotes } = (company && vault.facts(company.id)) ?? {};
      // What a note says of it was not verified; that it came from the provider itself is enough for the provider
      // alone.
      return {
        ...(subject && !identityNotes ? { subject } : {}),
        ...(account === undefined ? {} : { account }),
        ...(idTokenClaims ? { idTokenClaims } : {}),
        ...(identityNotes ? { identityNotes } : {}),
      };
    },

    release,

    unblock() {
      for (const id of vault.ids().filter(isCompanyId))
        if (keeper.state(id).kind === 'blocked') void keeper.refreshNow(id);
    },

    async start() {
      await bindOldSignIns(vault, serversOf);
      await keeper.start();
    },
    async close() {
      await shared.close();
      await keeper.close();
      await Promise.all([...https.values()].map((http) => http.close()));
    },
  };
}
