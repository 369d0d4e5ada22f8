import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { plainText } from '../../../../shared/foreign-text.ts';
import { remedyFor } from '../../../../shared/remedies.ts';
import type { AppError } from '../../base/errors.ts';

/** How a sign-in ended, for the person who looks at the browser. */
export type CallbackResult =
  | { readonly kind: 'signed_in' }
  /** The server had forgotten Keybridge; the sign-in goes on in another window. */
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly error: AppError };

/** Every page that the listener can show. */
export type PageKind =
  | CallbackResult
  | {
      readonly kind:
        | 'finishing'
        | 'unrelated'
        | 'used'
        | 'expired'
        | 'no_response'
        | 'not_found'
        | 'wrong_method'
        | 'wrong_host'
        | 'prefetch';
    };

export interface Page {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

interface Words {
  readonly status: number;
  readonly mark: 'ok' | 'wait' | 'stop';
  readonly title: string;
  readonly lines: readonly string[];
  readonly code?: string;
}

const goBack = 'You can close this page and go back to Keybridge, or to the terminal where you started.';

function words(page: PageKind, server: string): Words {
  switch (page.kind) {
    case 'signed_in':
      return { status: 200, mark: 'ok', title: `Signed in to ${server}`, lines: [goBack] };
    case 'finishing':
      return {
        status: 200,
        mark: 'wait',
        title: `Finishing the sign-in to ${server}`,
        lines: ['Keybridge shows when it is done.', goBack],
      };
    case 'again':
      return {
        status: 200,
        mark: 'wait',
        title: 'One more step',
        lines: [`${server} no longer knew Keybridge, so Keybridge registered again. Go on in the page that opens now.`],
      };
    case 'failed':
      return failure(page.error, server);
    case 'used':
      return {
        status: 410,
        mark: 'stop',
        title: 'This response was already used',
        lines: ['A sign-in response works only once. If you are not signed in, start again from Keybridge.'],
      };
    case 'expired':
      return {
        status: 410,
        mark: 'stop',
        title: 'This sign-in has ended',
        lines: ['It was cancelled, or it took too long. Start again from Keybridge.'],
      };
    case 'unrelated':
      return {
        status: 400,
        mark: 'stop',
        title: 'This response is for another sign-in',
        lines: ['It may be an old page. The sign-in that is waiting goes on in the page that Keybridge opened last.'],
      };
    case 'no_response':
      return {
        status: 400,
        mark: 'stop',
        title: 'The sign-in response did not arrive',
        lines: [
          `The server sent it in a way that Keybridge cannot read (after a # or as a form). Tell the operator of ${server}.`,
        ],
      };
    case 'not_found':
      return {
        status: 404,
        mark: 'stop',
        title: 'Nothing here',
        lines: ['Keybridge uses this address only to finish a sign-in.'],
      };
    case 'wrong_method':
      return {
        status: 405,
        mark: 'stop',
        title: 'The sign-in response did not arrive',
        lines: [`The server sent it as a form, which Keybridge does not take. Tell the operator of ${server}.`],
      };
    // Browsers throw away a prefetched page that is no success, and fetch it again when it is opened.
    case 'prefetch':
      return {
        status: 503,
        mark: 'wait',
        title: 'The sign-in is waiting',
        lines: ['Open this page to finish the sign-in.'],
      };
    case 'wrong_host':
      return {
        status: 421,
        mark: 'stop',
        title: 'Nothing here',
        lines: ['This address belongs to a program on this computer.'],
      };
  }
}

function failure(error: AppError, server: string): Words {
  if (error.code === 'E_SIGN_IN_DENIED') {
    return {
      status: 400,
      mark: 'stop',
      title: 'You did not sign in',
      lines: [`Keybridge got no access to ${server}.`, goBack],
      code: error.code,
    };
  }
  return {
    status: 400,
    mark: 'stop',
    title: `The sign-in to ${server} did not work`,
    lines: [error.message, remedyFor(error.code)],
    code: error.code,
  };
}

const style = `
:root{color-scheme:light dark;--ground:#f5f4f0;--surface:#fff;--line:#e3e0d9;--ink:#1c1f22;--soft:#5b5f64;--ok:#1a7042;--wait:#1f5fb8;--stop:#8a5200;--accent:#0e5a70;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#16181a;--surface:#1e2124;--line:#2e3236;--ink:#eceded;--soft:#a6abb0;--ok:#62c990;--wait:#7fb2f5;--stop:#e5b567;--accent:#6cc3da;--on-accent:#06222b}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);font:400 16px/1.5 system-ui,-apple-system,'Segoe UI',Cantarell,'Noto Sans',sans-serif}
main{box-sizing:border-box;width:min(460px,calc(100vw - 32px));padding:36px 40px 28px;background:var(--surface);border:1px solid var(--line);border-radius:16px}
svg{display:block}.mark{margin-bottom:18px}.ok{color:var(--ok)}.wait{color:var(--wait)}.stop{color:var(--stop)}
h1{margin:0 0 10px;font-size:22px;line-height:1.3;font-weight:600;overflow-wrap:anywhere;text-wrap:balance}
p{margin:0 0 10px;color:var(--soft);overflow-wrap:anywhere}code{font:13px ui-monospace,'SF Mono',monospace}
footer{display:flex;align-items:center;gap:8px;margin-top:26px;padding-top:18px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
footer svg{border-radius:5px}footer rect{fill:var(--accent)}footer g{fill:var(--on-accent)}footer code{margin-left:auto}`;

const marks = {
  ok: '<path d="m13 20.5 5 5 10-11" />',
  wait: '<path d="M20 11.5V20l5.5 4" />',
  stop: '<path d="M20 12v9.5M20 27.4v.1" />',
} as const;

const logo =
  '<svg width="20" height="20" viewBox="0 0 512 512" aria-hidden="true"><rect width="512" height="512"/><g><path fill-rule="evenodd" d="M158 152a86 86 0 1 1 0 172 86 86 0 0 1 0-172Zm0 46a40 40 0 1 0 0 80 40 40 0 0 0 0-80Z"/><path d="M228 210H424a18 18 0 0 1 18 18V358a10 10 0 0 1-10 10H418a10 10 0 0 1-10-10V297a29 29 0 0 0-58 0v61a10 10 0 0 1-10 10H326a10 10 0 0 1-10-10V297a29 29 0 0 0-29-29H228Z"/></g></svg>';

const headers: OutgoingHttpHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  // The address of this page has the code in it.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  connection: 'close',
};

/** One page of the redirect listener: whole in itself, no script, nothing loaded, nothing of the request in it. */
export function redirectPage(kind: PageKind, server: string): Page {
  const { status, mark, title, lines, code } = words(kind, server);
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)} · Keybridge</title><style>${style}</style></head>
<body><main>
<svg class="mark ${mark}" width="40" height="40" viewBox="0 0 40 40" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="20" cy="20" r="18" />${marks[mark]}</svg>
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
<footer>${logo}<span>Keybridge</span>${code === undefined ? '' : `<code>${escapeHtml(code)}</code>`}</footer>
</main></body></html>
`;
  return { status, headers: status === 405 ? { ...headers, allow: 'GET' } : headers, body };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return plainText(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
