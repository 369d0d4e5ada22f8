import path from 'node:path';

/** The window's pages have a scheme of their own: file: URLs have no origin, and http: needs a server. */
export const pageOrigin = 'app://keybridge';
export const firstPage = `${pageOrigin}/index.html`;

/** Returns the file that a page's address names, or undefined if it is not inside the folder. */
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

/** Whether this is an address of the app's own pages. Compares parts, because Node's URL has no `origin` for app:. */
export function isOwnPage(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol: scheme, host, username, password } = new URL(address);
  return scheme === 'app:' && host === 'keybridge' && username === '' && password === '';
}
