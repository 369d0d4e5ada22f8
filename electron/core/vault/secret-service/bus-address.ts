// Node's own modules only: the bridge loads this file.
import { isOwnSocket } from '../../../local-socket/own-socket.ts';

/**
 * Returns the sockets of a bus address in its order (D-Bus Specification, "Server Addresses"): each `unix:` part with a
 * path or an abstract name (`\0name`). All other kinds are ignored: `tcp:` would expose the keychain's content to the
 * network, and `autolaunch:` would start a bus that is not the user's.
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

/** Returns the first socket of a bus address that belongs to this user, or undefined if there is none. */
export const ownBusSocket = (address: string): string | undefined =>
  busSockets(address).find((socket) => isOwnSocket(socket));

/** Returns a bus address that consists of this socket only. */
export function busAddressOf(socket: string): string {
  const [kind, name] = socket.startsWith('\0') ? ['abstract', socket.slice(1)] : ['path', socket];
  // The specification allows fewer unescaped characters than URLs do.
  const escaped = encodeURIComponent(name)
    .replaceAll('%2F', '/')
    .replaceAll(/[!~'()]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `unix:${kind}=${escaped}`;
}

/** Decodes `%2e` and the like. Returns undefined if the result is not UTF-8. */
function unescape(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
