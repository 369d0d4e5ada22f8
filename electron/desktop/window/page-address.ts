import path from 'node:path';

/** The window's pages come from a scheme of the app's own: file: URLs have no origin, and http: would be a server. */
export const pageOrigin = 'app://keybridge';
export const firstPage = `${pageOrigin}/index.html`;

/** The file that a page's address names; undefined when it is not inside the folder. */
export function fileOf(address: string, folder: string): string | undefined {
  if (!isOwnPage(address)) return undefined;
  try {
    const name = decodeURIComponent(new URL(address).pathname);
    const file = path.resolve(folder, `.${path.posix.normalize(name)}`);
    return !name.includes('\0') && file.startsWith(folder + path.sep) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** True for the app's own pages only. An opaque scheme has no `origin` in Node's URL, so its parts are compared. */
export function isOwnPage(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol: scheme, host, username, password } = new URL(address);
  return scheme === 'app:' && host === 'keybridge' && username === '' && password === '';
}
