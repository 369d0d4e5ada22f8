import type { Session } from 'electron';
import { isOwnPage } from './page-address.ts';
import { loadable } from './page-source.ts';

/** The only permission, and only for the app's own pages: to write text to the clipboard ("Copy"). */
const allowedPermission = 'clipboard-sanitized-write';

/** Denies everything that a page can request from the browser engine, except `allowedPermission`. */
export function lockSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, respond, { requestingUrl }) =>
    respond(permission === allowedPermission && isOwnPage(requestingUrl)),
  );
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === allowedPermission && isOwnPage(origin),
  );
  session.setDevicePermissionHandler(() => false);
  session.setSpellCheckerEnabled(false);
  session.on('will-download', (event) => event.preventDefault());
  // The content security policy forbids this too, but a page could come without its policy.
  session.webRequest.onBeforeRequest(({ url }, respond) =>
    respond({ cancel: !loadable.some((prefix) => url.startsWith(prefix)) }),
  );
}
