// Reads the window's pages. A build of `npm run dev` replaces this file by page-source.dev.ts.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileOf, pageOrigin } from './page-address.ts';

/** A file for the window, and the content security policy under which it is served. */
export interface PageFile {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly policy: string;
}

/** Prefixes of the addresses that a page may load, whatever its policy says. */
export const loadable: readonly string[] = [`${pageOrigin}/`, 'devtools://'];

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "img-src 'self' data:; font-src 'self'; connect-src 'none'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Returns the file in `folder` that an address of the app's own scheme names, or undefined if there is none. */
export async function pageFile(address: string, folder: string): Promise<PageFile | undefined> {
  const file = fileOf(address, folder);
  const type = file && types[path.extname(file)];
  const content = type && (await readFile(file).catch(() => undefined));
  return content ? { content: new Uint8Array(content), type, policy } : undefined;
}
