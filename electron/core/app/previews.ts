import type { Discovered } from '../../../shared/model.ts';
import { createServerHttp } from '../servers/server-http.ts';
import { describeDiscovery } from '../oauth/discovery/describe.ts';
import { discover } from '../oauth/discovery/discovery.ts';
import { withOtherAddresses } from '../oauth/discovery/other-addresses.ts';
import { nextRedirectUri } from '../oauth/authorization/loopback-server.ts';
import type { Seen } from '../servers/seen.ts';
import type { AddressClass, Http } from '../http/http.ts';
import type { Discovery } from '../oauth/model.ts';
import type { Server } from '../servers/server.ts';
import type { ServerSettings } from '../../../shared/server-settings.ts';

/** What a look at an address has shown. */
interface AddressPreview {
  readonly seen: Seen;
  /** The redirect URI that the person was told to register, and at which issuer. */
  readonly reservedRedirect?: NonNullable<Server['reservedRedirect']>;
}

/** Looks at addresses that may be added next. Only what the core saw itself is kept about a new server. */
export interface AddressPreviews {
  /** Throws AppError; where no MCP server is there, with the addresses at which one answers. */
  look(url: URL, settings: ServerSettings): Promise<Discovered>;
  /** Undefined: that address was not looked at. */
  at(url: URL): AddressPreview | undefined;
}

/** A person looks at a few addresses before one is added. */
const most = 50;

export function createAddressPreviews(plain: Http): AddressPreviews {
  const looks = new Map<string, AddressPreview>();

  function remember(url: URL, look: AddressPreview): void {
    looks.delete(url.href);
    looks.set(url.href, look);
    const [oldest] = looks.keys();
    if (looks.size > most && oldest !== undefined) looks.delete(oldest);
  }

  /** The same address as long as the app runs: the person may have registered it already. */
  async function reserved(
    url: URL,
    { registration, issuer }: Discovered,
  ): Promise<Pick<AddressPreview, 'reservedRedirect'>> {
    if (registration !== 'client_id_needed' || issuer === undefined) return {};
    const before = looks.get(url.href)?.reservedRedirect;
    return {
      reservedRedirect: before?.issuer === issuer ? before : { issuer, redirect_uri: await nextRedirectUri(issuer) },
    };
  }

  return {
    async look(url, settings) {
      const entry = { url: url.href, settings, storedSecrets: [] };
      const http = createServerHttp({ http: plain, server: () => entry, secret: async () => undefined });
      try {
        const discovery = await discoverThere(http, url, settings);
        const found = describeDiscovery(url, discovery, settings);
        const look: AddressPreview = {
          seen: discovery.kind === 'open' ? 'open' : 'sign_in',
          ...(await reserved(url, found)),
        };
        remember(url, look);
        return { ...found, ...(look.reservedRedirect ? { redirectUri: look.reservedRedirect.redirect_uri } : {}) };
      } finally {
        await http.close();
      }
    },
    at: (url) => looks.get(url.href),
  };
}

/** Discovery for a person who may have mistyped the address. `network`: where it was found before. Throws AppError. */
export async function discoverThere(
  http: Http,
  url: URL,
  settings: ServerSettings,
  network?: AddressClass,
): Promise<Discovery> {
  try {
    return await discover(url, { http, settings, network });
  } catch (error) {
    throw await withOtherAddresses(error, http, url, network);
  }
}
