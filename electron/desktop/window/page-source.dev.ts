// Replaces page-source.ts in a build of `npm run dev` (scripts/build.mjs). The pages come from Vite's server, but
// through the app's own scheme, so that all rules about its pages apply here too.
import { randomBytes } from 'node:crypto';
import { isOwnPage, pageOrigin } from './page-address.ts';
import type * as production from './page-source.ts';

/** Defined by scripts/build.mjs: the server's origin, on 127.0.0.1. */
declare const KEYBRIDGE_DEV_SERVER: string;

/** Vite writes this where a nonce belongs: into its inline script and the styles that it adds (scripts/dev.mjs). */
const noncePlaceholder = 'KEYBRIDGE_NONCE';
const updates = KEYBRIDGE_DEV_SERVER.replace(/^http:/, 'ws:');

export const loadable: typeof production.loadable = [`${pageOrigin}/`, 'devtools://', `${updates}/`];

/** The shipped policy, plus one nonce per page and the WebSocket on which Vite sends changes. */
const policy = (nonce: string): string =>
  `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; ` +
  `img-src 'self' data:; font-src 'self'; connect-src ${updates}; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const pageFile: typeof production.pageFile = async (address) => {
  if (!isOwnPage(address)) return undefined;
  const { pathname, search } = new URL(address);
  const response = await fetch(new URL(pathname + search, KEYBRIDGE_DEV_SERVER)).catch(() => undefined);
  const type = response?.headers.get('content-type');
  if (!response?.ok || !type) return undefined;
  const nonce = randomBytes(16).toString('base64');
  const content = new Uint8Array(await response.arrayBuffer());
  const isPage = type.startsWith('text/html');
  return { content: isPage ? withNonce(content, nonce) : content, type, policy: policy(nonce) };
};

const withNonce = (page: Uint8Array, nonce: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(new TextDecoder().decode(page).replaceAll(noncePlaceholder, nonce));
