import type { Http, HttpRequest } from '../../http/client.ts';
import type { Server } from '../../servers/servers.ts';

/**
 * The HTTP client for a company's identity provider: that of one of its servers, so that an authority which the user trusts
 * for the company (`caFile`) counts there too. The server's own certificate and key stay out of it. `plain`: for none.
 */
export function companyHttp(serversOf: () => readonly Server[], httpOf: (accountKey: string) => Http, plain: Http): Http {
  const chosen = (): Http => {
    const servers = serversOf();
    const server = servers.find(({ settings }) => settings.caFile !== undefined) ?? servers[0];
    return server ? httpOf(server.id) : plain;
  };
  const bare = (request: HttpRequest): HttpRequest => ({ ...request, forTokens: false });
  return {
    fetch: (request) => chosen().fetch(bare(request)),
    open: (request) => chosen().open(bare(request)),
    classOf: (url) => chosen().classOf(url),
    withTls: (material) => chosen().withTls(material),
    // Whoever made the servers' clients closes them.
    close: async () => {},
  };
}
