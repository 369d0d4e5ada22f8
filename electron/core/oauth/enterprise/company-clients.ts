import type { SignInHosts } from '../../../../shared/sign-in-state.ts';
import { findNetwork } from '../../http/network.ts';
import { knownNetwork } from '../../servers/networks.ts';
import type { Servers } from '../../servers/servers.ts';
import { refuseUnconfirmed } from '../authorization/endpoint-hosts.ts';
import { companyHttp } from './company-http.ts';
import { companyOf } from './company.ts';
import type { AddressClass, AddressPolicy, Http } from '../../http/http.ts';
import type { Credential } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

/** The HTTP clients for companies' identity providers, and what they may connect to. */
export interface CompanyClients {
  /** The servers that use this company's sign-in. */
  readonly serversOf: (companyId: string) => readonly Server[];
  readonly httpFor: (companyId: string) => Http;
  /** The client for the identity provider of this server, even if its ID token was entered by hand. */
  readonly httpOf: (server: Server) => Http;
  /** The network in which the provider was found before. */
  readonly networkOf: (company: { readonly id: string; readonly issuer: string }) => AddressClass | undefined;
  /** The hosts that a user has confirmed for any of the company's servers. */
  readonly confirmedHostsOf: (companyId: string) => readonly SignInHosts[];
  /** What a refresh may connect to. Throws E_HOSTS_UNCONFIRMED. */
  readonly policyOf: (credential: Credential) => Promise<AddressPolicy>;
  readonly close: () => Promise<void>;
}

export function createCompanyClients(plain: Http, servers: Pick<Servers, 'list'>): CompanyClients {
  const clients = new Map<string, Http>();
  const clientFor = (key: string, users: () => readonly Server[]): Http => {
    const client = clients.get(key) ?? companyHttp(users, plain);
    clients.set(key, client);
    return client;
  };
  const self: CompanyClients = {
    serversOf: (companyId) => servers.list().filter((server) => companyOf(server)?.id === companyId),
    httpFor: (companyId) => clientFor(companyId, () => self.serversOf(companyId)),
    httpOf(server) {
      const company = companyOf(server);
      return company
        ? self.httpFor(company.id)
        : clientFor(server.id, () => servers.list().filter(({ id }) => id === server.id));
    },
    // A provider that was public for one server stays public for all of them.
    networkOf({ id, issuer }) {
      const known = self.serversOf(id).map((server) => knownNetwork(server, issuer));
      return known.includes('public') ? 'public' : known.find((one) => one !== undefined);
    },
    confirmedHostsOf: (companyId) => self.serversOf(companyId).flatMap(({ confirmedHosts }) => confirmedHosts),
    async policyOf(credential) {
      refuseUnconfirmed(credential, { preset: undefined, confirmed: self.confirmedHostsOf(credential.id) });
      // Any URL of the provider shows its network; this one is public.
      const url = new URL('/.well-known/openid-configuration', credential.issuer);
      return findNetwork(self.httpFor(credential.id), url, self.networkOf(credential));
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
  return self;
}
