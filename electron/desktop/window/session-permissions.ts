import type { Session } from 'electron';
import { isOwnPage } from './page-address.ts';
import { loadable } from './page-source.ts';

/** What the pages may use: nothing but writing text to the clipboard ("Copy"), from the app's own pages. */
const allowedPermission = 'clipboard-sanitized-write';

/** Rules for everything that a page can ask of the browser engine, whatever window it is in. */
export function lockSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) =>
    answer(permission === allowedPermission && isOwnPage(requestingUrl)),
  );
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === allowedPermission && isOwnPage(origin),
  );
  session.setDevicePermissionHandler(() => false);
  session.setSpellCheckerEnabled(false);
  session.on('will-download', (event) => event.preventDefault());
  // The policy of the pages forbids this already; here it is stopped whatever the page says.
  session.webRequest.onBeforeRequest(({ url }, answer) =>
    answer({ cancel: !loadable.some((start) => url.startsWith(start)) }),
  );
}
