import { stat } from 'node:fs/promises';
import { defined } from '../../../shared/defined.ts';
import type { Secret } from '../base/secret.ts';
import type { Http } from '../http/http.ts';
import {
  readAuthorities,
  readClientCertificate,
  type ClientCertificate,
  type TlsMaterial,
} from '../http/tls-material.ts';
import type { Server } from './server.ts';

/** The parts of a server that its TLS configuration depends on. */
type TlsServer = Pick<Server, 'settings' | 'storedSecrets'>;

export interface TlsClientsDeps {
  readonly http: Http;
  /** Returns a stored secret, or undefined. Throws E_STORE_*. */
  readonly secret: (name: 'privateKey' | 'clientCertificatePassword') => Promise<Secret | undefined>;
}

/** What a request may use of the server's certificates. */
interface TlsUse {
  /** Trust the server's own certificate authorities as well. */
  readonly authorities: boolean;
  /** Present the client certificate. */
  readonly certificate: boolean;
}

interface LoadedTls {
  readonly certificate: ClientCertificate | undefined;
  /** Returns a client for this use; always the same one, so that connections are reused. */
  readonly clientFor: (use: TlsUse) => Http;
}

/** HTTP clients with the certificates of a server's settings. */
export interface TlsClients {
  /** Reads the certificate files if the settings or the files have changed. Throws E_BAD_INPUT, E_STORE_*. */
  load(server: TlsServer): Promise<LoadedTls>;
  /** Closes all clients, including those with earlier certificates. */
  close(): Promise<void>;
}

export function createTlsClients({ http, secret }: TlsClientsDeps): TlsClients {
  const created: Http[] = [];
  let current: { readonly server: TlsServer; readonly stamp: string; readonly tls: Promise<LoadedTls> } | undefined;

  const storedSecret = async ({ storedSecrets }: TlsServer, name: 'privateKey' | 'clientCertificatePassword') =>
    storedSecrets.includes(name) ? secret(name) : undefined;

  const read = async (server: TlsServer): Promise<LoadedTls> => {
    const { caFile, clientCertificateFile } = server.settings;
    const ca = caFile === undefined ? undefined : await readAuthorities(caFile);
    const certificate =
      clientCertificateFile === undefined
        ? undefined
        : await readClientCertificate(
            clientCertificateFile,
            defined({
              privateKey: await storedSecret(server, 'privateKey'),
              password: await storedSecret(server, 'clientCertificatePassword'),
            }),
          );
    const clients = new Map<string, Http>();
    const clientFor = (use: TlsUse): Http => {
      const key = `${use.authorities} ${use.certificate}`;
      const known = clients.get(key);
      if (known) return known;
      const material: TlsMaterial = defined({
        ca: use.authorities ? ca : undefined,
        certificate: use.certificate ? certificate : undefined,
      });
      const client = http.withTls(material);
      created.push(client);
      clients.set(key, client);
      return client;
    };
    return { certificate, clientFor };
  };

  return {
    async load(server) {
      const stamp = await stampOf(server.settings.caFile, server.settings.clientCertificateFile);
      if (current?.server === server && current.stamp === stamp) return current.tls;
      const loading = { server, stamp, tls: read(server) };
      current = loading;
      // After a failure, the next request tries again.
      loading.tls.catch(() => {
        if (current === loading) current = undefined;
      });
      return loading.tls;
    },
    async close() {
      await Promise.all(created.map((one) => one.close()));
    },
  };
}

/** Returns a text that changes when one of the files changes. A missing file is reported later, when it is read. */
async function stampOf(...files: readonly (string | undefined)[]): Promise<string> {
  const stamps = files.map(async (file) => {
    if (file === undefined) return '';
    return stat(file).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs}:${size}:${ino}`,
      () => 'absent',
    );
  });
  return (await Promise.all(stamps)).join(' ');
}
