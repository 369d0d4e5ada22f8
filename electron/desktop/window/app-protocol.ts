import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { protocol, type Protocol } from 'electron';
import { fileOf } from './page-address.ts';

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
