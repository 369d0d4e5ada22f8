/// <reference types="vite/client" />
import type { ErrorCode } from '../shared/errors.ts';

const files = import.meta.glob<string>('../docs/errors/*.md', { query: '?raw', import: 'default', eager: true });

/** A page of docs/errors: its first sentence, and its sections as lines. */
export interface ErrorPage {
  /** What happened, in plain words. */
  readonly plain: string;
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/** The page that explains a code. It ships with the app and needs no network. */
export function errorPage(code: ErrorCode): ErrorPage {
  const [head = '', ...parts] = (files[`../docs/errors/${code}.md`] ?? '').split(/^## /m);
  return {
    plain: plain(head.replace(/^# .*$/m, '')),
    sections: parts.map((part) => {
      const [title = '', ...lines] = part.split('\n');
      return { title, lines: joined(lines) };
    }),
  };
}

/** Lines that are broken in the file, one for each paragraph or item. */
function joined(lines: readonly string[]): string[] {
  const out: string[] = [];
  let open = false;
  for (const line of lines) {
    const starts = line === '' || line.startsWith('- ') || !open;
    if (starts && line !== '') out.push(plain(line.replace(/^- /, '')));
    else if (line !== '') out.push(`${out.pop() ?? ''} ${plain(line)}`);
    open = line !== '';
  }
  return out;
}

/** Without the marks of Markdown. */
const plain = (text: string): string =>
  text
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
