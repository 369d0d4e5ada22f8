import type { Dispatcher } from 'undici';
import type { AppError } from '../base/errors.ts';
import { createBody } from './body.ts';
import { decodedBody } from './decode.ts';
import { cancelled, exchangeFault, timedOut, tooLarge, tooManyPieces } from './faults.ts';
import type { HttpRequest, HttpStream } from './http.ts';

/** A server that wants to be told who calls; some firewalls refuse requests without it. */
const userAgent = ['user-agent', 'Keybridge'];

/**
 * What each chunk counts, in bytes. Larger chunks make up for smaller ones, so that a long-lived stream with little
 * traffic can go on.
 */
const chunkCost = 64;
/** A response in more small pieces than this is aborted. */
const mostDebt = 16 * 1024 * 1024;
/** After so many chunks the other connections have their turn. */
const chunksInTurn = 2_048;

export interface ExchangeOptions {
  /** `all`: the time limit covers the body too. `head`: the body may be quiet for ever. */
  readonly limit: 'all' | 'head';
}

/**
 * One request on a connection of the dispatcher's pool. Settles once: with the head and the body to read, or with an
 * AppError. Written against undici's handler and not its `request()`, whose stream costs as much as the call itself.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: HttpRequest,
  { limit }: ExchangeOptions,
): Promise<HttpStream> {
  return new Promise((resolve, reject) => {
    const { url, signal, maxBytes } = request;
    const { host } = url;
    let controller: Dispatcher.DispatchController | undefined;
    let sent = false;
    let over = false;
    let received = 0;
    let chunks = 0;
    let debt = 0;
    const held = { byReader: false, byTurn: false };
    let timer: NodeJS.Timeout | undefined = setTimeout(
      () => fail(timedOut(host, request.timeoutMs, sent)),
      request.timeoutMs,
    );

    const hold = (who: keyof typeof held, wanted: boolean) => {
      held[who] = wanted;
      if (held.byReader || held.byTurn) controller?.pause();
      else controller?.resume();
    };
    const source = createBody({
      pause: () => hold('byReader', true),
      resume: () => hold('byReader', false),
      stop: () => fail(cancelled(sent)),
    });
    const nextTurn = () => {
      hold('byTurn', true);
      setImmediate(() => hold('byTurn', false));
    };
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
          const setCookies =
            cookies === undefined ? {} : { setCookies: typeof cookies === 'string' ? [cookies] : cookies };
          resolve({
            status,
            headers: joined,
            ...setCookies,
            body: decodedBody(source.body, joined['content-encoding'], { maxBytes, host }),
          });
        } catch (error) {
          fail(exchangeFault(error, host, sent));
        }
      },
      onResponseData(_, chunk) {
        received += chunk.length;
        debt = Math.max(0, debt + chunkCost - chunk.length);
        chunks += 1;
        if (received + debt > maxBytes) return fail(tooLarge(host, maxBytes));
        if (debt > mostDebt) return fail(tooManyPieces(host));
        source.push(chunk);
        if (chunks % chunksInTurn === 0) nextTurn();
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

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && name !== 'set-cookie')
      joined[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return joined;
}
