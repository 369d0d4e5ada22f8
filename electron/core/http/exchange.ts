import type { Dispatcher } from 'undici';
import type { AppError } from '../errors.ts';
import { createBody, type Body } from './body.ts';
import type { HttpRequest, HttpStream } from './client.ts';
import { decoded, isEncoded } from './decode.ts';
import { cancelled, exchangeFault, timedOut, tooLarge } from './faults.ts';

/** A server that wants to be told who calls; some firewalls refuse requests without it. */
const userAgent = ['user-agent', 'Keybridge'];

export interface ExchangeOptions {
  /** `all`: the time limit covers the body too. `head`: the body may be quiet for ever. */
  readonly limit: 'all' | 'head';
}

/**
 * One request on a connection of the dispatcher's pool. Settles once: with the head and the body to read, or with an
 * AppError. Written against undici's handler and not its `request()`, whose stream costs as much as the call itself.
 */
export function exchange(dispatcher: Dispatcher, request: HttpRequest, { limit }: ExchangeOptions): Promise<HttpStream> {
  return new Promise((resolve, reject) => {
    const { url, signal, maxBytes } = request;
    const { host } = url;
    let controller: Dispatcher.DispatchController | undefined;
    let sent = false;
    let over = false;
    let received = 0;
    let timer: NodeJS.Timeout | undefined = setTimeout(() => fail(timedOut(host, request.timeoutMs, sent)), request.timeoutMs);

    const source = createBody({
      pause: () => controller?.pause(),
      resume: () => controller?.resume(),
      stop: () => fail(cancelled(sent)),
    });
    const settle = () => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    /** The one way in which an exchange goes wrong, before or after the head. */
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
        // Given up while the connection was being made: nothing is sent.
        if (over) started.abort(cancelled(false));
        else sent = true;
      },
      onResponseStart(_, status, headers) {
        if (status < 200 || over) return;
        if (limit === 'head') {
          clearTimeout(timer);
          timer = undefined;
        }
        const joined = joinHeaders(headers);
        try {
          const cookies = headers['set-cookie'];
          const setCookies = cookies === undefined ? {} : { setCookies: typeof cookies === 'string' ? [cookies] : cookies };
          resolve({ status, headers: joined, ...setCookies, body: readable(source.body, joined['content-encoding'], maxBytes, host) });
        } catch (error) {
          fail(exchangeFault(error, host, sent));
        }
      },
      onResponseData(_, chunk) {
        received += chunk.length;
        if (received > maxBytes) fail(tooLarge(host, maxBytes));
        else source.push(chunk);
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
  return { origin: url.origin, path: `${url.pathname}${url.search}`, method, headers: list, body: body ?? null, headersTimeout: 0, bodyTimeout: 0 };
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && name !== 'set-cookie') joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}

function readable(body: Body, encoding: string | undefined, maxBytes: number, host: string): Body {
  return isEncoded(encoding) ? capped(decoded(body, encoding, host), maxBytes, host) : body;
}

/** Counts what decoding made of the bytes. */
function capped(body: Body, maxBytes: number, host: string): Body {
  async function* read(): AsyncGenerator<Buffer, void> {
    let total = 0;
    for await (const chunk of body) {
      total += chunk.length;
      if (total > maxBytes) throw tooLarge(host, maxBytes);
      yield chunk;
    }
  }
  const reader = read();
  return { destroy: () => body.destroy(), [Symbol.asyncIterator]: () => reader };
}
