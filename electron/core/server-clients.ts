import type { Http } from './http/client.ts';
import { createServerHttp, type ServerHttp } from './http/server-http.ts';
import { serverSecretKey, type Servers } from './servers/servers.ts';
import type { Vault } from './vault/credentials.ts';
import { storeFault } from './vault/store-fault.ts';

/** The HTTP client of each server: its certificates, and no other server's. */
export interface ServerClients {
  of(serverId: string): ServerHttp;
  close(): Promise<void>;
}

export interface ServerClientsDeps {
  readonly http: Http;
  readonly servers: Pick<Servers, 'find'>;
  readonly vault: Pick<Vault, 'readClientSecret'>;
}

export function createServerClients({ http, servers, vault }: ServerClientsDeps): ServerClients {
  const all = new Map<string, ServerHttp>();
  const secret = async (serverId: string, name: 'privateKey' | 'clientCertificatePassword') => {
    const read = await vault.readClientSecret(serverSecretKey(serverId, name));
    if (read.kind === 'found') return read.value;
    if (read.kind === 'absent') return undefined;
    throw storeFault(read, 'The key of the client certificate cannot be read');
  };
  return {
    of(serverId) {
      const known = all.get(serverId);
      if (known) return known;
      const made = createServerHttp({ http, server: () => servers.find(serverId), secret: (name) => secret(serverId, name) });
      all.set(serverId, made);
      return made;
    },
    async close() {
      await Promise.all([...all.values()].map((one) => one.close()));
    },
  };
}
