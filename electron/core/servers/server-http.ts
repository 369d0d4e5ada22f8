import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Http, HttpRequest } from '../http/http.ts';
import type { Server } from './server.ts';
import { createTlsClients, type TlsClientsDeps } from './tls-clients.ts';

/** The parts of a server that this needs. The server may not be in the list yet. */
type Entry = Pick<Server, 'url' | 'settings' | 'storedSecrets'>;

export interface ServerHttpDeps extends TlsClientsDeps {
  /** Returns the server with its current settings, or undefined if it was removed. */
  readonly server: () => Entry | undefined;
}

/** The HTTP client for all requests on behalf of one server, with the certificates of its settings. */
export interface ServerHttp extends Http {
  /** Returns Unix ms, or undefined if there is no readable client certificate. */
  certificateExpiresAt(): Promise<number | undefined>;
}

/**
 * Creates the HTTP client of one server. Its own certificate authorities (`caFile`) are trusted for this server's
 * requests only, and only at the server's host and at the origins of `caOrigins`: otherwise, whoever has the key of
 * such an authority could impersonate any authorization server. The client certificate is presented to the server's
 * origin and, for token requests (`forTokens`), to the authorization server; never to a third host. Throws the errors
 * of Http, and E_BAD_INPUT for an unusable file.
 */
export function createServerHttp({ http, server, secret }: ServerHttpDeps): ServerHttp {
  const tlsClients = createTlsClients({ http, secret });

  /** Returns the server if its settings name certificate files. */
  const serverWithTls = (): Entry | undefined => {
    const entry = server();
    const { caFile, clientCertificateFile } = entry?.settings ?? {};
    return caFile !== undefined || clientCertificateFile !== undefined ? entry : undefined;
  };

  const send = async <Value>(
    entry: Entry,
    { url, forTokens = false }: HttpRequest,
    sendWith: (client: Http) => Promise<Value>,
  ): Promise<Value> => {
    const { caFile, clientCertificateFile } = entry.settings;
    const tls = await tlsClients.load(entry);
    const authorities = caFile !== undefined && trustsAuthoritiesAt(entry, url);
    const isOwnOrigin = url.origin === new URL(entry.url).origin;
    const certificate = clientCertificateFile !== undefined && (forTokens || isOwnOrigin);
    return sendWith(tls.clientFor({ authorities, certificate })).catch((error: unknown) => {
      const isUntrusted = error instanceof AppError && error.code === 'E_TLS' && caFile !== undefined && !authorities;
      throw isUntrusted ? notCovered(error, entry, url) : error;
    });
  };

  return {
    fetch(request) {
      const entry = serverWithTls();
      return entry ? send(entry, request, (client) => client.fetch(request)) : http.fetch(request);
    },
    open(request) {
      const entry = serverWithTls();
      return entry ? send(entry, request, (client) => client.open(request)) : http.open(request);
    },
    classOf: (url) => http.classOf(url),
    withTls: (material) => http.withTls(material),
    async certificateExpiresAt() {
      const entry = server();
      if (entry?.settings.clientCertificateFile === undefined) return undefined;
      return tlsClients.load(entry).then(
        ({ certificate }) => certificate?.expiresAt,
        () => undefined,
      );
    },
    close: () => tlsClients.close(),
  };
}

/** The host of the server, on any port, and the origins in `caOrigins`. */
function trustsAuthoritiesAt({ url, settings }: Entry, { hostname, origin }: URL): boolean {
  return (
    hostname === new URL(url).hostname ||
    (settings.caOrigins ?? []).some((one) => URL.canParse(one) && new URL(one).origin === origin)
  );
}

function notCovered({ message, sent }: AppError, { url }: Entry, { origin }: URL): AppError {
  const host = sanitizeExternalText(new URL(url).hostname);
  return new AppError(
    'E_TLS',
    `${message} The certificate authorities of caFile are trusted at ${host} only. ` +
      `To trust them at ${sanitizeExternalText(origin)} too, add it to the setting caOrigins.`,
    { sent, field: 'settings.caOrigins' },
  );
}
