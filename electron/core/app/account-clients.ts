import { createServerHttp, type ServerHttp } from '../servers/server-http.ts';
import { createDpopHttp } from '../oauth/client-auth/dpop-http.ts';
import { enteredSecret } from '../oauth/entered-secrets.ts';
import { atServer } from '../servers/secret-binding.ts';
import type { Servers } from '../servers/servers.ts';
import type { Binding } from '../vault/binding.ts';
import type { Vault } from '../vault/credentials.ts';
import { storeFault } from '../vault/store-fault.ts';
import type { Clock } from '../base/clock.ts';
import type { Http } from '../http/http.ts';

/** One HTTP client per account of a server, with that account's certificates and DPoP key. */
export interface AccountClients {
  of(accountKey: string): ServerHttp;
  /** Deletes the DPoP key to which the account's tokens are bound. The next sign-in generates a new one. */
  forgetKey(accountKey: string): Promise<void>;
  close(): Promise<void>;
}

export interface AccountClientsDeps {
  readonly http: Http;
  readonly servers: Pick<Servers, 'find'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret'>;
  readonly clock: Clock;
}

interface Client {
  readonly http: ServerHttp;
  readonly forgetKey: () => void;
}

/** The vault key under which an account's DPoP key is stored. */
const dpopKeyOf = (accountKey: string): string => `${accountKey}:dpop-key`;

export function createAccountClients({ http, servers, vault, clock }: AccountClientsDeps): AccountClients {
  const all = new Map<string, Client>();
  /** Returns undefined if there is no key, or one for another origin. A new key is then generated. */
  const readKey = async (accountKey: string) => {
    const read = await vault.readClientSecret(dpopKeyOf(accountKey), boundTo(accountKey));
    if (read.kind === 'found') return read.value;
    if (read.kind === 'absent' || read.kind === 'elsewhere') return undefined;
    throw storeFault(read, 'The DPoP key could not be read');
  };
  const boundTo = (accountKey: string): Binding => {
    const server = servers.find(accountKey);
    return server ? atServer(server) : {};
  };

  const make = (accountKey: string): Client => {
    const currentServer = () => servers.find(accountKey);
    const secret = async (name: 'privateKey' | 'clientCertificatePassword') => {
      const server = currentServer();
      return server && enteredSecret(vault, server, name, atServer(server));
    };
    const serverHttp = createServerHttp({ http, server: currentServer, secret });
    const dpopHttp = createDpopHttp({
      http: serverHttp,
      home() {
        const server = currentServer();
        return server?.settings.dpop === true ? new URL(server.url).origin : undefined;
      },
      readKey: () => readKey(accountKey),
      async keepKey(key) {
        const written = await vault.writeClientSecret(dpopKeyOf(accountKey), key, boundTo(accountKey));
        if (written.kind !== 'done') throw storeFault(written, 'The DPoP key could not be stored');
      },
      now: () => clock.now(),
    });
    return { http: { ...serverHttp, ...dpopHttp }, forgetKey: () => dpopHttp.forgetKey() };
  };
  const clientOf = (accountKey: string): Client => {
    const client = all.get(accountKey) ?? make(accountKey);
    all.set(accountKey, client);
    return client;
  };

  return {
    of: (accountKey) => clientOf(accountKey).http,
    async forgetKey(accountKey) {
      clientOf(accountKey).forgetKey();
      await vault.deleteClientSecret(dpopKeyOf(accountKey));
    },
    async close() {
      await Promise.all([...all.values()].map((client) => client.http.close()));
    },
  };
}
