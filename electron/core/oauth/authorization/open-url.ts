import { checkEndpoint } from '../endpoint-url.ts';
import type { OAuthPorts } from '../model.ts';

/**
 * The one place from which the system's browser is opened. https only (http on this computer), no user name, nothing
 * odd in it; the browser gets the URL as we serialise it, never a string that came from outside (CVE-2025-6514).
 * Throws E_ENDPOINT_REFUSED before anything is opened; rejects with the port's E_BROWSER.
 */
export function openAuthorizationUrl(openBrowser: OAuthPorts['openBrowser'], url: URL): Promise<void> {
  return openBrowser(checkEndpoint('page to sign in', url.href));
}
