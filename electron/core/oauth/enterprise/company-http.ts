import { defined } from '../../../../shared/defined.ts';
import { createServerHttp, type ServerHttpDeps } from '../../servers/server-http.ts';
import type { Http } from '../../http/http.ts';
import type { Server } from '../../servers/server.ts';

type Entry = NonNullable<ReturnType<ServerHttpDeps['server']>>;

/**
 * The HTTP client for a company's identity provider. It trusts the certificate authorities of the company
 * (`enterprise.caFile`) at the issuer's host and at the configured token endpoint, whichever of its servers names them.
 * It uses nothing that was entered for a server: no certificate authority, no certificate and no key.
 */
export function companyHttp(serversOf: () => readonly Server[], plain: Http): Http {
  let current: Entry | undefined;
  const entry = (): Entry | undefined => {
    const enterprise = serversOf().find(({ settings }) => settings.enterprise?.caFile !== undefined)?.settings
      .enterprise;
    if (enterprise?.caFile === undefined || !URL.canParse(enterprise.issuer)) return undefined;
    const { issuer, caFile, tokenEndpoint } = enterprise;
    const next: Entry = {
      url: issuer,
      settings: { caFile, ...defined({ caOrigins: tokenEndpoint === undefined ? undefined : [tokenEndpoint] }) },
      storedSecrets: [],
    };
    // Keeps the same object until the settings change, since a new one closes all connections.
    if (JSON.stringify(next) !== JSON.stringify(current)) current = next;
    return current;
  };
  return createServerHttp({ http: plain, server: entry, secret: async () => undefined });
}
