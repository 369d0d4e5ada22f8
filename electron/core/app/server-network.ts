import { findNetwork } from '../http/network.ts';
import type { Log } from '../base/log.ts';
import { refuseUnconfirmed } from '../oauth/authorization/endpoint-hosts.ts';
import type { AccountClients } from './account-clients.ts';
import { keepNetwork, knownNetwork } from '../servers/networks.ts';
import type { Servers } from '../servers/servers.ts';
import type { AddressPolicy, ServerNetwork } from '../http/http.ts';
import type { Credential } from '../vault/credential.ts';
import type { Server } from '../servers/server.ts';

/** Which networks may be connected to on behalf of a server. */
export interface ServerNetworks {
  /** Finds the network by a request. A server that cannot be reached and never was counts as public. Never throws. */
  networkOf(server: Server): Promise<ServerNetwork>;
  /** The policy for requests with a stored credential. Throws E_HOSTS_UNCONFIRMED. */
  policyOf(credential: Credential): Promise<AddressPolicy>;
}

export interface ServerNetworksDeps {
  readonly clients: Pick<AccountClients, 'of'>;
  readonly servers: Pick<Servers, 'find' | 'update' | 'unchecked'>;
  readonly log: Log;
}

export function createServerNetworks({ clients, servers, log }: ServerNetworksDeps): ServerNetworks {
  async function networkOf(server: Server): Promise<ServerNetwork> {
    const { origin } = new URL(server.url);
    try {
      const network = await findNetwork(
        clients.of(server.id),
        new URL('/.well-known/oauth-protected-resource', origin),
        knownNetwork(server, origin),
      );
      await keepNetwork({ servers, log }, server.id, network);
      return network;
    } catch {
      return { origin, own: 'public' };
    }
  }

  return {
    networkOf,
    async policyOf(credential) {
      const server = servers.find(credential.id);
      refuseUnconfirmed(credential, { preset: server?.settings.preset, confirmed: server?.confirmedHosts ?? [] });
      return server ? networkOf(server) : [];
    },
  };
}
