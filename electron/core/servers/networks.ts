import { asAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Servers } from './servers.ts';
import type { AddressClass, ServerNetwork } from '../http/http.ts';
import type { Server } from './server.ts';

/** Returns the known network of an address: that of the server itself, or of its company's identity provider. */
export function knownNetwork(server: Pick<Server, 'networks'> | undefined, address: string): AddressClass | undefined {
  const origin = URL.canParse(address) ? new URL(address).origin : undefined;
  return server?.networks.find((one) => one.origin === origin)?.own;
}

/**
 * Stores the network of an origin with the server, once the list can be signed. A server that was public once stays
 * public, whatever its name resolves to later. Never throws.
 */
export async function keepNetwork(
  { servers, log }: { readonly servers: Pick<Servers, 'find' | 'update' | 'unchecked'>; readonly log: Log },
  id: string,
  { origin, own }: ServerNetwork,
): Promise<void> {
  const server = servers.find(id);
  const known = knownNetwork(server, origin);
  if (!server || servers.unchecked || known === own || known === 'public') return;
  const networks = [...server.networks.filter((one) => one.origin !== origin), { origin, own }].slice(-maxNetworks);
  await servers
    .update(id, { networks })
    .catch((error: unknown) => log('network_not_kept', { server: server.name, code: asAppError(error).code }));
}

const maxNetworks = 20;
