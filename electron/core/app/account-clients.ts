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

/**
 * The HTTP client of each account on each server, with what proves who we are there: certificates and key, and no
 * other's.
 */
export interface AccountClients {
  of(accountKey: string): ServerHttp;
  /** Deletes the key to which the server's tokens are bound: the next sign-in makes another. */
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

/** Where the vault keeps the key of an account's DPoP-bound tokens. */
const dpopKeyOf = (accountKey: string): string => `${accountKey}:dpop-key`;

export function createAccountClients({ http, servers, vault, clock }: AccountClientsDeps): AccountClients {
  const all = new Map<string, Client>();
  /** The key of the server's tokens. One that was made for another origin proves nothing here: another is made. */
  const readKey = async (accountKey: string) => {
    const found = await vault.readClientSecret(dpopKeyOf(accountKey), boundTo(accountKey));
    if (found.kind === 'found') return found.value;
    if (found.kind === 'absent' || found.kind === 'elsewhere') return undefined;
    throw storeFault(found, 'The DPoP key could not be read');
  };
  const boundTo = (accountKey: string): Binding => {
    const found = servers.find(accountKey);
    return found ? atServer(found) : {};
  };

  const make = (accountKey: string): Client => {
    const server = () => servers.find(accountKey);
    const secret = async (name: 'privateKey' | 'clientCertificatePassword') => {
      const found = server();
      return found && enteredSecret(vault, found, name, atServer(found));
    };
    const certified = createServerHttp({ http, server, secret });
    const proving = createDpopHttp({
      http: certified,
      home() {
        const found = server();
        return found?.settings.dpop === true ? new URL(found.url).origin : undefined;
      },
      readKey: () => readKey(accountKey),
      async keepKey(key) {
        const kept = await vault.writeClientSecret(dpopKeyOf(accountKey), key, boundTo(accountKey));
        if (kept.kind !== 'done') throw storeFault(kept, 'The DPoP key could not be stored');
      },
      now: () => clock.now(),
    });
    return { http: { ...certified, ...proving }, forgetKey: () => proving.forgetKey() };
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
