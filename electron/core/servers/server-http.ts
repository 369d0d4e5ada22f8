import { stat } from 'node:fs/promises';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Server } from './server.ts';
import {
  readAuthorities,
  readClientCertificate,
  type ClientCertificate,
  type TlsMaterial,
} from '../http/tls-material.ts';
import type { Http, HttpRequest } from '../http/http.ts';

/** What is needed of a server; also of one that is not in the list yet. */
type Entry = Pick<Server, 'url' | 'settings' | 'storedSecrets'>;

export interface ServerHttpDeps {
  readonly http: Http;
  /** The server as it is now; undefined: it was removed. */
  readonly server: () => Entry | undefined;
  /** Undefined: none is stored. Throws E_STORE_*. */
  readonly secret: (name: 'privateKey' | 'clientCertificatePassword') => Promise<Secret | undefined>;
}

/** The HTTP client for everything that is done on behalf of one server, with the certificates of its settings. */
export interface ServerHttp extends Http {
  /** Unix ms; undefined: no client certificate, or none that can be read. */
  certificateExpiresAt(): Promise<number | undefined>;
}

interface Clients {
  readonly certificate: ClientCertificate | undefined;
  /** `trusts`: the server's own authorities too. `shows`: its client certificate. */
  readonly client: (trusts: boolean, shows: boolean) => Http;
}

/**
 * Another authority is trusted for this server's requests and no other's, and only at the host that it was entered for
 * and at the origins that are named beside it: whoever has its key could else stand in for any authorization server.
 * The client certificate is shown to the origin of the server, and to the authorization server that tokens are asked of
 * (`forTokens`): never to a third host. Errors: those of Http, and E_BAD_INPUT for a file that cannot be used.
 */
export function createServerHttp({ http, server, secret }: ServerHttpDeps): ServerHttp {
  const made: Http[] = [];
  /** Made anew when the server's settings or the files change: they may be replaced while we run. */
  let current: { readonly of: Entry; readonly stamp: string; readonly clients: Promise<Clients> } | undefined;

  const load = async (of: Entry): Promise<Clients> => {
    const { caFile, clientCertificateFile } = of.settings;
    const authorities: TlsMaterial = caFile === undefined ? {} : { ca: await readAuthorities(caFile) };
    const certificate =
      clientCertificateFile === undefined
        ? undefined
        : await readClientCertificate(clientCertificateFile, await keys(of));
    const byUse = new Map<string, Http>();
    const client = (trusts: boolean, shows: boolean): Http => {
      const use = `${trusts} ${shows}`;
      const known =
        byUse.get(use) ??
        http.withTls({ ...(trusts ? authorities : {}), ...(shows && certificate ? { certificate } : {}) });
      if (!byUse.has(use)) made.push(known);
      byUse.set(use, known);
      return known;
    };
    return { certificate, client };
  };

  const keys = async ({ storedSecrets }: Entry): Promise<{ privateKey?: Secret; password?: Secret }> => {
    const privateKey = storedSecrets.includes('privateKey') ? await secret('privateKey') : undefined;
    const password = storedSecrets.includes('clientCertificatePassword')
      ? await secret('clientCertificatePassword')
      : undefined;
    return { ...(privateKey ? { privateKey } : {}), ...(password ? { password } : {}) };
  };

  const clients = async (of: Entry): Promise<Clients> => {
    const stamp = await stampOf(of.settings.caFile, of.settings.clientCertificateFile);
    if (current?.of === of && current.stamp === stamp) return current.clients;
    const loading = { of, stamp, clients: load(of) };
    current = loading;
    // What could not be read is tried again at the next request.
    loading.clients.catch(() => {
      if (current === loading) current = undefined;
    });
    return loading.clients;
  };

  const send = async <Value>(
    of: Entry,
    request: HttpRequest,
    how: (client: Http) => Promise<Value>,
  ): Promise<Value> => {
    const { url, forTokens = false } = request;
    const { client } = await clients(of);
    const trusts = of.settings.caFile !== undefined && isCovered(of, url);
    const shows =
      of.settings.clientCertificateFile !== undefined && (forTokens || url.origin === new URL(of.url).origin);
    return how(client(trusts, shows)).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'E_TLS' && of.settings.caFile !== undefined && !trusts
        ? notCovered(error, of, url)
        : error;
    });
  };

  /** The server, if its settings ask for anything special. */
  const special = (): Entry | undefined => {
    const of = server();
    return of && (of.settings.caFile !== undefined || of.settings.clientCertificateFile !== undefined) ? of : undefined;
  };

  return {
    fetch(request) {
      const of = special();
      return of ? send(of, request, (client) => client.fetch(request)) : http.fetch(request);
    },
    open(request) {
      const of = special();
      return of ? send(of, request, (client) => client.open(request)) : http.open(request);
    },
    classOf: (url) => http.classOf(url),
    withTls: (material) => http.withTls(material),
    async certificateExpiresAt() {
      const of = server();
      if (of?.settings.clientCertificateFile === undefined) return undefined;
      return clients(of).then(
        ({ certificate }) => certificate?.expiresAt,
        () => undefined,
      );
    },
    async close() {
      await Promise.all(made.map((one) => one.close()));
    },
  };
}

/** The host of the server, whatever the port, and the origins that the user named beside the file. */
function isCovered({ url, settings }: Entry, { hostname, origin }: URL): boolean {
  return (
    hostname === new URL(url).hostname ||
    (settings.caOrigins ?? []).some((one) => URL.canParse(one) && new URL(one).origin === origin)
  );
}

function notCovered({ message, sent }: AppError, { url }: Entry, { origin }: URL): AppError {
  return new AppError(
    'E_TLS',
    `${message} The certificate authorities of caFile count at ${sanitizeExternalText(new URL(url).hostname)}; if they are for ${sanitizeExternalText(origin)} too, name it in the setting caOrigins.`,
    { sent, field: 'settings.caOrigins' },
  );
}

/** Changes when a file does. A file that is away is told by the reader. */
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
