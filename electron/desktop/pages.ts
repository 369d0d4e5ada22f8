import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { protocol, type Protocol } from 'electron';

/** The window's pages come from a scheme of the app's own: file: URLs have no origin, and http: would be a server. */
export const pageOrigin = 'app://keybridge';
export const firstPage = `${pageOrigin}/index.html`;

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Before the app is ready. */
export function announcePages(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
}

/** Serves the files of `folder`, each with the content security policy, and nothing else. */
export function servePages(to: Protocol, folder: string): void {
  to.handle('app', async (request) => {
    const file = request.method === 'GET' ? fileOf(request.url, folder) : undefined;
    const type = file && types[path.extname(file)];
    const content = type && (await readFile(file).catch(() => undefined));
    if (!content) return new Response('Not found', { status: 404, headers: { 'content-type': 'text/plain' } });
    return new Response(new Uint8Array(content), {
      headers: {
        'content-type': type,
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      },
    });
  });
}

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
