// Node's own modules only: the bridge loads this file.
import { isOwnSocket } from '../../../local-socket/own-socket.ts';

/**
 * The sockets of a bus address (D-Bus Specification, "Server Addresses"), in its order: each `unix:` part with a path
 * or an abstract name (`\0name`). Every other kind is left out: `tcp:` would hand the keychain's content to the
 * network, and with `autolaunch:` a bus would be started that is not the user's.
 */
export function busSockets(address: string): string[] {
  return address.split(';').flatMap((one) => {
    if (!one.startsWith('unix:')) return [];
    const pairs = new Map(
      one
        .slice('unix:'.length)
        .split(',')
        .map((pair) => pair.split('=') as [string, string | undefined]),
    );
    const path = unescape(pairs.get('path'));
    if (path?.startsWith('/')) return [path];
    const abstract = unescape(pairs.get('abstract'));
    return abstract ? [`\0${abstract}`] : [];
  });
}

/** The first socket of a bus address that belongs to this user; undefined: there is none, and no bus to be used. */
export const ownBusSocket = (address: string): string | undefined =>
  busSockets(address).find((socket) => isOwnSocket(socket));

/** A bus address that names one socket and nothing else. */
export function busAddressOf(socket: string): string {
  const [kind, name] = socket.startsWith('\0') ? ['abstract', socket.slice(1)] : ['path', socket];
  // The specification lets fewer characters stand than URLs do.
  const escaped = encodeURIComponent(name)
    .replaceAll('%2F', '/')
    .replaceAll(/[!~'()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `unix:${kind}=${escaped}`;
}

/** `%2e` and the like; undefined for what is no UTF-8. */
function unescape(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
