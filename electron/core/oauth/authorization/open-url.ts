import { defined } from '../../../../shared/defined.ts';
import { asAppError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { checkEndpoint } from '../endpoint-url.ts';
import type { OAuthPorts } from '../model.ts';
import type { Attempt } from './attempt.ts';

/**
 * The only place that opens the system's browser. The URL must be https (or http on this computer), without a user name
 * or unusual characters. The browser gets it serialized by us, never as a string from outside (CVE-2025-6514). Throws
 * E_ENDPOINT_REFUSED before it opens anything; rejects with the port's E_BROWSER.
 */
export function openAuthorizationUrl(openBrowser: OAuthPorts['openBrowser'], url: URL): Promise<void> {
  return openBrowser(checkEndpoint('sign-in page', url.href));
}

/**
 * Opens the page of a sign-in. If no browser opens, the progress says so and contains the URL, with the `userCode` of a
 * device sign-in. Does not wait for the opener, because some return only when the browser is closed. Throws
 * E_ENDPOINT_REFUSED.
 */
export function openForAttempt(
  { openBrowser, log }: { readonly openBrowser: OAuthPorts['openBrowser']; readonly log: Log },
  attempt: Attempt,
  url: URL,
  userCode?: string,
): void {
  openAuthorizationUrl(openBrowser, url).catch((error: unknown) => {
    log('browser_failed', { code: asAppError(error).code });
    const { step, endsAt } = attempt.progress();
    if (step === 'browser')
      attempt.step('browser', { url: url.href, browserFailed: true, ...defined({ userCode, endsAt }) });
  });
}
