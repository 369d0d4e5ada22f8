import { defined } from '../../../shared/defined.ts';
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

/** What a preview of an address found. */
interface AddressPreview {
  readonly seen: Seen;
  /** The redirect URI that the user was told to register, and at which issuer. */
  readonly reservedRedirect?: NonNullable<Server['reservedRedirect']>;
}

/**
 * Previews addresses before they are added. `addServer` takes what was found from here, not from its caller, who could
 * claim anything.
 */
export interface AddressPreviews {
  /** Runs discovery. Throws AppError; if no MCP server is at the address, with the addresses where one responds. */
  preview(url: URL, settings: ServerSettings): Promise<Discovered>;
  /** Returns the last preview of an address, or undefined if there was none. */
  at(url: URL): AddressPreview | undefined;
}

/** The oldest previews are dropped beyond this. */
const maxPreviews = 50;

export function createAddressPreviews(http: Http): AddressPreviews {
  const previews = new Map<string, AddressPreview>();

  function remember(url: URL, preview: AddressPreview): void {
    previews.delete(url.href);
    previews.set(url.href, preview);
    const [oldest] = previews.keys();
    if (previews.size > maxPreviews && oldest !== undefined) previews.delete(oldest);
  }

  /** Keeps the redirect URI of an earlier preview: the user may already have registered it. */
  async function reserved(
    url: URL,
    { registration, issuer }: Discovered,
  ): Promise<Pick<AddressPreview, 'reservedRedirect'>> {
    if (registration !== 'client_id_needed' || issuer === undefined) return {};
    const earlier = previews.get(url.href)?.reservedRedirect;
    return {
      reservedRedirect: earlier?.issuer === issuer ? earlier : { issuer, redirect_uri: await nextRedirectUri(issuer) },
    };
  }

  return {
    async preview(url, settings) {
      const entry = { url: url.href, settings, storedSecrets: [] };
      const serverHttp = createServerHttp({ http, server: () => entry, secret: async () => undefined });
      try {
        const discovery = await discoverOrSuggest(serverHttp, url, settings);
        const described = describeDiscovery(url, discovery, settings);
        const preview: AddressPreview = {
          seen: discovery.kind === 'open' ? 'open' : 'sign_in',
          ...(await reserved(url, described)),
        };
        remember(url, preview);
        return { ...described, ...defined({ redirectUri: preview.reservedRedirect?.redirect_uri }) };
      } finally {
        await serverHttp.close();
      }
    },
    at: (url) => previews.get(url.href),
  };
}

/**
 * Runs discovery at an address that may be mistyped. Throws AppError; if no MCP server is there, with the addresses
 * where one responds. `network`: where the server was found before.
 */
export async function discoverOrSuggest(
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
