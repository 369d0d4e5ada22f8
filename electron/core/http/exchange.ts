import type { Dispatcher } from 'undici';
import type { AppError } from '../base/errors.ts';
import { createBody, type Body } from './body.ts';
import { decodedBody } from './decode.ts';
import { cancelled, exchangeFault, timedOut } from './faults.ts';
import { createFlowControl } from './flow-control.ts';
import type { HttpHead, HttpRequest, HttpStream } from './http.ts';
import { createSizeCheck } from './size-check.ts';

/** Some firewalls refuse requests without a User-Agent. */
const userAgent = ['user-agent', 'Keybridge'];

export interface ExchangeOptions {
  /** `all`: the time limit includes the body. `head`: it ends with the headers; the body may be silent indefinitely. */
  readonly limit: 'all' | 'head';
}

/**
 * Sends one request on a connection of the dispatcher's pool. Settles once: with the head and a body to read, or with
 * an AppError. Uses undici's handler instead of its `request()`, whose stream costs as much as the call itself.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  { limit }: ExchangeOptions,
): Promise<HttpStream> {
  return new Promise((resolve, reject) => {
    const { url, signal, maxBytes, timeoutMs } = request;
    const { host } = url;
    const flow = createFlowControl();
    const checkSize = createSizeCheck(host, maxBytes);
    let controller: Dispatcher.DispatchController | undefined;
    let sent = false;
    let over = false;
    const timer = setTimeout(() => fail(timedOut(host, timeoutMs, sent)), timeoutMs);

    const source = createBody({
      pause: () => flow.setReaderPaused(true),
      resume: () => flow.setReaderPaused(false),
      stop: () => fail(cancelled(sent)),
    });
    const settle = () => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    /** Every failure goes through here, whether before or after the head. */
    const fail = (error: AppError) => {
      if (over) return;
      settle();
      reject(error);
      source.fail(error);
      controller?.abort(error);
    };
    const abort = () => fail(cancelled(sent));

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        flow.attach(started);
        // Cancelled while connecting: nothing has been sent.
        if (over) started.abort(cancelled(false));
        else sent = true;
      },
      onResponseStart(_, status, headers) {
        if (status < 200 || over) return;
        if (limit === 'head') clearTimeout(timer);
        try {
          resolve(responseOf(status, headers, source.body, { maxBytes, host }));
        } catch (error) {
          fail(exchangeFault(error, host, sent));
        }
      },
      onResponseData(_, chunk) {
        const excess = checkSize(chunk.length);
        if (excess) return fail(excess);
        source.push(chunk);
        flow.chunkReceived();
      },
      onResponseEnd() {
        settle();
        source.end();
      },
      onResponseError(_, error) {
        fail(exchangeFault(error, host, sent));
      },
    };

    if (signal?.aborted) return fail(cancelled(false));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      dispatcher.dispatch(dispatchOptions(request), handler);
    } catch (error) {
      fail(exchangeFault(error, host, false));
    }
  });
}

function dispatchOptions({ url, method, headers = {}, body }: HttpRequest): Dispatcher.DispatchOptions {
  const list = 'user-agent' in headers ? [] : [...userAgent];
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) list.push(name, value);
  }
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: list,
    body: body ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Throws E_CONNECTION_LOST for a Content-Encoding that cannot be decoded. */
function responseOf(
  status: number,
  raw: RawHeaders,
  body: Body,
  limits: { readonly maxBytes: number; readonly host: string },
): HttpStream {
  const headers = joinHeaders(raw);
  return { status, headers, ...setCookiesOf(raw), body: decodedBody(body, headers['content-encoding'], limits) };
}

function joinHeaders(headers: RawHeaders): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && name !== 'set-cookie')
      joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}

function setCookiesOf(headers: RawHeaders): Pick<HttpHead, 'setCookies'> {
  const cookies = headers['set-cookie'];
  if (cookies === undefined) return {};
  return { setCookies: typeof cookies === 'string' ? [cookies] : cookies };
}
