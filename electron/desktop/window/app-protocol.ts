import { protocol, type Protocol } from 'electron';
import { pageFile } from './page-source.ts';

/** Registers the scheme of the pages. Must be called before the app is ready. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
}

/** Serves only the files of `folder`, each with its content security policy. */
export function servePages(to: Protocol, folder: string): void {
  to.handle('app', async (request) => {
    const file = request.method === 'GET' ? await pageFile(request.url, folder) : undefined;
    if (!file) return new Response('Not found', { status: 404, headers: { 'content-type': 'text/plain' } });
    return new Response(file.content, {
      headers: {
        'content-type': file.type,
        'content-security-policy': file.policy,
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      },
    });
  });
}
