import type { OutgoingHttpHeaders } from 'node:http';
import { resultPageMessages } from '../../../../shared/messages/en/result-page.ts';
import { translator } from '../../../../shared/messages/translator.ts';
import { remedyFor } from '../../../../shared/remedies.ts';
import type { AppError } from '../../base/errors.ts';
import { pageHeaders, renderPage, type PageContent } from './page-template.ts';

/** How a sign-in ended, as the page in the browser shows it. */
export type CallbackResult =
  | { readonly kind: 'signed_in' }
  /** The server no longer knew Keybridge's registration; the sign-in continues on another page. */
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly error: AppError };

type FixedPage =
  | 'signed_in'
  | 'again'
  | 'finishing'
  | 'unrelated'
  | 'used'
  | 'expired'
  | 'no_response'
  | 'not_found'
  | 'wrong_method'
  | 'wrong_host'
  | 'prefetch';

/** Every page that the listener can show. */
export type PageKind = CallbackResult | { readonly kind: FixedPage };

export interface Page {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

interface Content extends PageContent {
  readonly status: number;
}

const { t } = translator(resultPageMessages);

const fixedPages: Readonly<Record<FixedPage, (server: string) => Content>> = {
  signed_in: (server) => ({ status: 200, mark: 'ok', title: t('page.signedIn', { server }), lines: [t('page.close')] }),
  finishing: (server) => ({
    status: 200,
    mark: 'wait',
    title: t('page.finishing', { server }),
    lines: [t('page.finishingDetail'), t('page.close')],
  }),
  again: (server) => ({
    status: 200,
    mark: 'wait',
    title: t('page.again'),
    lines: [t('page.againDetail', { server })],
  }),
  used: () => stopped(410, t('page.used'), t('page.usedDetail')),
  expired: () => stopped(410, t('page.expired'), t('page.expiredDetail')),
  unrelated: () => stopped(400, t('page.unrelated'), t('page.unrelatedDetail')),
  no_response: (server) => stopped(400, t('page.noResponse'), t('page.noResponseDetail', { server })),
  not_found: () => stopped(404, t('page.notFound'), t('page.notFoundDetail')),
  wrong_method: (server) => stopped(405, t('page.noResponse'), t('page.wrongMethodDetail', { server })),
  wrong_host: () => stopped(421, t('page.notFound'), t('page.wrongHostDetail')),
  // Browsers discard a prefetched page with an error status and request it again when the user opens it.
  prefetch: () => ({ status: 503, mark: 'wait', title: t('page.prefetch'), lines: [t('page.prefetchDetail')] }),
};

const stopped = (status: number, title: string, ...lines: string[]): Content => ({
  status,
  mark: 'stop',
  title,
  lines,
});

function failedPage({ code, message }: AppError, server: string): Content {
  const content =
    code === 'E_SIGN_IN_DENIED'
      ? stopped(400, t('page.denied'), t('page.deniedDetail', { server }), t('page.close'))
      : stopped(400, t('page.failed', { server }), message, remedyFor(code));
  return { ...content, code };
}

/** One page of the redirect listener. It contains nothing of the request. */
export function redirectPage(page: PageKind, server: string): Page {
  const { status, ...content } =
    page.kind === 'failed' ? failedPage(page.error, server) : fixedPages[page.kind](server);
  const headers = status === 405 ? { ...pageHeaders, allow: 'GET' } : pageHeaders;
  return { status, headers, body: renderPage(content) };
}
