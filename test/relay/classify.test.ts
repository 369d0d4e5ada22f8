import { describe, expect, it } from 'vitest';
import { classify, type RequestFacts, type ResponseFacts, type Verdict } from '../../electron/relay/classify.ts';
import { isRepeatable } from '../../shared/mcp-methods.ts';

const response = (change: Partial<ResponseFacts>): ResponseFacts => ({
  status: 200,
  oauthError: undefined,
  bodyError: undefined,
  lacksScopes: false,
  rpcError: false,
  retryAfterMs: undefined,
  ...change,
});
const request = (change: Partial<RequestFacts> = {}): RequestFacts => ({
  credential: 'token',
  newTokenPauseMs: undefined,
  renewed: false,
  repeatable: false,
  persistent: false,
  retries: 0,
  waitedMs: 0,
  ...change,
});

const call = request();
const list = request({ repeatable: true, persistent: true });
const initialize = request({ repeatable: true });
const anonymous = request({ credential: 'none' });
const key = request({ credential: 'key' });
const renewed = request({ renewed: true });

const second = 1_000;
const minute = 60_000;
const invalidToken = 'invalid_token';

type Row = readonly [name: string, response: Partial<ResponseFacts>, request: RequestFacts, verdict: Verdict];

const successes: readonly Row[] = [
  ['accepts a success', { status: 200 }, call, { kind: 'accept' }],
  ['accepts a 202 to a notification', { status: 202 }, call, { kind: 'accept' }],
  ['ignores Retry-After on a success', { status: 200, retryAfterMs: second }, call, { kind: 'accept' }],
  ['follows a redirect', { status: 307 }, call, { kind: 'redirect' }],
];

const credentials: readonly Row[] = [
  ['renews the token after a 401', { status: 401 }, call, { kind: 'renew_token' }],
  ['delivers a 401 to the renewed token', { status: 401 }, renewed, { kind: 'deliver' }],
  [
    'sends a new token again after a 401',
    { status: 401 },
    request({ newTokenPauseMs: 300 }),
    { kind: 'retry_same_token', pauseMs: 300 },
  ],
  [
    'sends a renewed token that is new again after a 401',
    { status: 401 },
    request({ renewed: true, newTokenPauseMs: 300 }),
    { kind: 'retry_same_token', pauseMs: 300 },
  ],
  ['asks for a sign-in after a 401 without a token', { status: 401 }, anonymous, { kind: 'sign_in' }],
  ['reads a key again after a 401', { status: 401 }, key, { kind: 'renew_token' }],
  ['doubts the token after a bare 403', { status: 403 }, call, { kind: 'deliver', doubtsToken: 'suspected' }],
  ['delivers a 403 with a JSON-RPC error', { status: 403, rpcError: true }, call, { kind: 'deliver' }],
  ['delivers a bare 403 to a key', { status: 403 }, key, { kind: 'deliver' }],
  [
    'renews the token after a 403 with invalid_token',
    { status: 403, oauthError: invalidToken },
    call,
    { kind: 'renew_token' },
  ],
  [
    'renews the token after a 400 with invalid_token',
    { status: 400, oauthError: invalidToken },
    call,
    { kind: 'renew_token' },
  ],
  ['delivers a second 403 with invalid_token', { status: 403, oauthError: invalidToken }, renewed, { kind: 'deliver' }],
  [
    'fails after a second 400 with invalid_token',
    { status: 400, oauthError: invalidToken },
    renewed,
    { kind: 'token_refused' },
  ],
  [
    'delivers a second 400 with invalid_token that is a JSON-RPC error',
    { status: 400, oauthError: invalidToken, rpcError: true },
    renewed,
    { kind: 'deliver' },
  ],
  ['delivers a 403 with invalid_token to a key', { status: 403, oauthError: invalidToken }, key, { kind: 'deliver' }],
  [
    'doubts the token after a 403 with another code',
    { status: 403, oauthError: 'access_denied' },
    call,
    { kind: 'deliver', doubtsToken: 'suspected' },
  ],
  ['delivers a 400 with another code', { status: 400, oauthError: 'invalid_request' }, call, { kind: 'deliver' }],
  [
    'only doubts the token when the body of a 403 to a call says invalid_token',
    { status: 403, bodyError: invalidToken },
    call,
    { kind: 'deliver', doubtsToken: 'stated' },
  ],
  [
    'only doubts the token when the body of a 400 to a call says invalid_token',
    { status: 400, bodyError: invalidToken },
    call,
    { kind: 'deliver', doubtsToken: 'stated' },
  ],
  [
    'renews the token when the body of a 403 to a list says invalid_token',
    { status: 403, bodyError: invalidToken },
    list,
    { kind: 'renew_token' },
  ],
  [
    'asks for a sign-in when the body of a 400 without a token says invalid_token',
    { status: 400, bodyError: invalidToken },
    anonymous,
    { kind: 'sign_in' },
  ],
  ['asks for a sign-in after a 403 without a token', { status: 403 }, anonymous, { kind: 'sign_in' }],
  [
    'delivers a 403 with a JSON-RPC error without a token',
    { status: 403, rpcError: true },
    anonymous,
    { kind: 'deliver' },
  ],
  ['delivers a 400 without a token', { status: 400 }, anonymous, { kind: 'deliver' }],
  [
    'asks for a sign-in after a 400 with invalid_token without a token',
    { status: 400, oauthError: invalidToken },
    anonymous,
    { kind: 'sign_in' },
  ],
  ['steps up after a 403 for missing scopes', { status: 403, lacksScopes: true }, call, { kind: 'step_up' }],
  ['delivers a 403 for missing scopes to a key', { status: 403, lacksScopes: true }, key, { kind: 'deliver' }],
];

const busy: readonly Row[] = [
  ['delivers a 503 to a call', { status: 503 }, call, { kind: 'deliver' }],
  [
    'does not repeat a call after a 503 with Retry-After',
    { status: 503, retryAfterMs: second },
    call,
    { kind: 'outcome_unknown', busyMs: second },
  ],
  [
    'does not repeat a call after a 503 with Retry-After: 0',
    { status: 503, retryAfterMs: 0 },
    call,
    { kind: 'outcome_unknown', busyMs: 0 },
  ],
  [
    'reports the rate limit after a 429 with Retry-After to a call',
    { status: 429, retryAfterMs: second },
    call,
    { kind: 'rate_limited', busyMs: second },
  ],
  ['delivers a 429 to a call', { status: 429 }, call, { kind: 'deliver' }],
  ['delivers a 502 to a call', { status: 502 }, call, { kind: 'deliver' }],
  ['ignores Retry-After on a 504', { status: 504, retryAfterMs: second }, call, { kind: 'deliver' }],
  ['doubts the token after a 500 to a call', { status: 500 }, call, { kind: 'deliver', doubtsToken: 'suspected' }],
  ['delivers a 404 to a call', { status: 404 }, call, { kind: 'deliver' }],
  [
    'delivers a 503 with a JSON-RPC error, and keeps other requests waiting',
    { status: 503, rpcError: true, retryAfterMs: second },
    list,
    { kind: 'deliver', busyMs: second },
  ],
  [
    'repeats a list after the time that a 503 asks for',
    { status: 503, retryAfterMs: 3 * second },
    list,
    { kind: 'retry', pauseMs: 3 * second, busyMs: 3 * second },
  ],
  [
    'repeats a list after 0.5 s when a 503 asks for no wait',
    { status: 503, retryAfterMs: 0 },
    list,
    { kind: 'retry', pauseMs: 500, busyMs: 0 },
  ],
  [
    'repeats a list after 2 s at the third 503',
    { status: 503, retryAfterMs: 0 },
    { ...list, retries: 2 },
    { kind: 'retry', pauseMs: 2 * second, busyMs: 0 },
  ],
  [
    'stops repeating a list at the fourth 503',
    { status: 503, retryAfterMs: 0 },
    { ...list, retries: 3 },
    { kind: 'rate_limited', busyMs: 0 },
  ],
  [
    'does not wait a minute to repeat a list',
    { status: 503, retryAfterMs: minute },
    list,
    { kind: 'rate_limited', busyMs: minute },
  ],
  [
    'does not repeat a list that would wait longer than 20 s in total',
    { status: 503, retryAfterMs: 6 * second },
    { ...list, waitedMs: 15 * second },
    { kind: 'rate_limited', busyMs: 6 * second },
  ],
  ['repeats a list after a 503', { status: 503 }, list, { kind: 'retry', pauseMs: 500 }],
  [
    'repeats a list after 1 s at the second 502',
    { status: 502 },
    { ...list, retries: 1 },
    { kind: 'retry', pauseMs: second },
  ],
  ['stops repeating a list at the fourth 504', { status: 504 }, { ...list, retries: 3 }, { kind: 'deliver' }],
  ['doubts the token after a 500 to a list', { status: 500 }, list, { kind: 'deliver', doubtsToken: 'suspected' }],
  ['delivers a 503 to initialize', { status: 503 }, initialize, { kind: 'deliver' }],
  [
    'repeats initialize after a 503 with Retry-After',
    { status: 503, retryAfterMs: second },
    initialize,
    { kind: 'retry', pauseMs: second, busyMs: second },
  ],
];

describe('classify', () => {
  it.each([...successes, ...credentials, ...busy])('%s', (_name, facts, sent, verdict) => {
    expect(classify(response(facts), sent)).toEqual(verdict);
  });

  it('sends a call again only after a rejected credential, missing scopes or a redirect', () => {
    const allowed = new Set([
      'accept',
      'deliver',
      'redirect',
      'sign_in',
      'renew_token',
      'token_refused',
      'step_up',
      'rate_limited',
      'outcome_unknown',
    ]);
    for (let status = 200; status < 600; status += 1) {
      for (const retryAfterMs of [undefined, 0, second])
        expect(allowed).toContain(classify(response({ status, retryAfterMs }), call).kind);
    }
  });
});

describe('isRepeatable', () => {
  it.each(['tools/call', 'tasks/cancel', 'elicitation/create', 'vendor/act', 'TOOLS/LIST', ''])(
    'is false for "%s"',
    (method) => {
      expect(isRepeatable(method)).toBe(false);
    },
  );
  it.each(['tools/list', 'resources/read', 'prompts/get', 'completion/complete', 'ping'])(
    'is true for "%s"',
    (method) => {
      expect(isRepeatable(method)).toBe(true);
    },
  );
});
