import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { plainText } from '../../../../shared/foreign-text.ts';

/** What a page shows. All texts are plain text: they are escaped here. */
export interface PageContent {
  readonly mark: keyof typeof marks;
  readonly title: string;
  readonly lines: readonly string[];
  /** The error code, for a report. */
  readonly code?: string;
}

const style = `
:root{
  color-scheme:light dark;
  --ground:#f5f4f0;--surface:#fff;--line:#e3e0d9;--ink:#1c1f22;--soft:#5b5f64;
  --ok:#1a7042;--wait:#1f5fb8;--stop:#8a5200;--accent:#0e5a70;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{
  --ground:#16181a;--surface:#1e2124;--line:#2e3236;--ink:#eceded;--soft:#a6abb0;
  --ok:#62c990;--wait:#7fb2f5;--stop:#e5b567;--accent:#6cc3da;--on-accent:#06222b}}
body{
  margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);
  font:400 16px/1.5 system-ui,-apple-system,'Segoe UI',Cantarell,'Noto Sans',sans-serif}
main{
  box-sizing:border-box;width:min(460px,calc(100vw - 32px));padding:36px 40px 28px;
  background:var(--surface);border:1px solid var(--line);border-radius:16px}
svg{display:block}.mark{margin-bottom:18px}.ok{color:var(--ok)}.wait{color:var(--wait)}.stop{color:var(--stop)}
h1{margin:0 0 10px;font-size:22px;line-height:1.3;font-weight:600;overflow-wrap:anywhere;text-wrap:balance}
p{margin:0 0 10px;color:var(--soft);overflow-wrap:anywhere}code{font:13px ui-monospace,'SF Mono',monospace}
footer{
  display:flex;align-items:center;gap:8px;margin-top:26px;padding-top:18px;
  border-top:1px solid var(--line);color:var(--soft);font-size:13px}
footer svg{border-radius:5px}footer rect{fill:var(--accent)}footer g{fill:var(--on-accent)}
footer code{margin-left:auto}`;

const marks = {
  ok: '<path d="m13 20.5 5 5 10-11" />',
  wait: '<path d="M20 11.5V20l5.5 4" />',
  stop: '<path d="M20 12v9.5M20 27.4v.1" />',
} as const;

const markSvg = (mark: keyof typeof marks): string =>
  `<svg class="mark ${mark}" width="40" height="40" viewBox="0 0 40 40" fill="none" stroke="currentColor" ` +
  'stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">' +
  `<circle cx="20" cy="20" r="18" />${marks[mark]}</svg>`;

/** The shapes of build/icon.svg. */
const logo =
  '<svg width="20" height="20" viewBox="0 0 512 512" aria-hidden="true"><rect width="512" height="512"/><g>' +
  '<path fill-rule="evenodd" ' +
  'd="M158 152a86 86 0 1 1 0 172 86 86 0 0 1 0-172Zm0 46a40 40 0 1 0 0 80 40 40 0 0 0 0-80Z"/>' +
  '<path d="M228 210H424a18 18 0 0 1 18 18V358a10 10 0 0 1-10 10H418a10 10 0 0 1-10-10V297a29 29 0 0 0-58 0v61' +
  'a10 10 0 0 1-10 10H326a10 10 0 0 1-10-10V297a29 29 0 0 0-29-29H228Z"/></g></svg>';

const styleHash = createHash('sha256').update(style).digest('base64');

export const pageHeaders: OutgoingHttpHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; ` +
    "frame-ancestors 'none'",
  // The address of the page contains the authorization code.
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  connection: 'close',
};

/** A self-contained page: no script, and nothing is loaded. */
export function renderPage({ mark, title, lines, code }: PageContent): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Keybridge</title><style>${style}</style></head>
<body><main>
${markSvg(mark)}
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
<footer>${logo}<span>Keybridge</span>${code === undefined ? '' : `<code>${escapeHtml(code)}</code>`}</footer>
</main></body></html>
`;
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
