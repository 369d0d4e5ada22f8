import { createServerHttp, type ServerHttpDeps } from '../../servers/server-http.ts';
import type { Http } from '../../http/http.ts';
import type { Server } from '../../servers/server.ts';

type Entry = NonNullable<ReturnType<ServerHttpDeps['server']>>;

/**
 * The HTTP client for a company's identity provider: with the authorities that were entered for the company
 * (`enterprise.caFile`) at its issuer's host and at the token endpoint that was entered with it, whichever of its
 * servers names them. Nothing that was entered for a server goes with it: no authority, no certificate, no key.
 */
export function companyHttp(serversOf: () => readonly Server[], plain: Http): Http {
  let known: Entry | undefined;
  const entry = (): Entry | undefined => {
    const enterprise = serversOf().find(({ settings }) => settings.enterprise?.caFile !== undefined)?.settings
      .enterprise;
    if (enterprise?.caFile === undefined || !URL.canParse(enterprise.issuer)) return undefined;
    const { issuer, caFile, tokenEndpoint } = enterprise;
    const next: Entry = {
      url: issuer,
      settings: { caFile, ...(tokenEndpoint === undefined ? {} : { caOrigins: [tokenEndpoint] }) },
      storedSecrets: [],
    };
    // The same one as long as nothing changes: with another one the connections begin anew.
    if (JSON.stringify(next) !== JSON.stringify(known)) known = next;
    return known;
  };
  return createServerHttp({ http: plain, server: entry, secret: async () => undefined });
}
