import { describe, expect, it } from 'vitest';
import { classify, type ResponseFacts, type AttemptFacts, type Verdict } from '../../electron/relay/classify.ts';
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
const turn = (change: Partial<AttemptFacts> = {}): AttemptFacts => ({
  credential: 'token',
  newTokenPauseMs: undefined,
  renewed: false,
  repeatable: false,
  persistent: false,
  repeats: 0,
  waitedMs: 0,
  ...change,
});

const call = turn();
const list = turn({ repeatable: true, persistent: true });
const opening = turn({ repeatable: true });
const anonymous = turn({ credential: 'none' });
const key = turn({ credential: 'key' });
const again = turn({ renewed: true });

const second = 1_000;
const minute = 60_000;

// Every status × what was sent × what the server says, and what becomes of it.
const table: readonly (readonly [string, Partial<ResponseFacts>, AttemptFacts, Verdict])[] = [
  ['a success', { status: 200 }, call, { kind: 'deliver' }],
  ['an accepted notification', { status: 202 }, call, { kind: 'deliver' }],
  ['a redirect', { status: 307 }, call, { kind: 'redirect' }],

  ['a 401 to a token', { status: 401 }, call, { kind: 'renew' }],
  ['a 401 to the token after it', { status: 401 }, again, { kind: 'deliver' }],
  [
    'a 401 to a token that is new',
    { status: 401 },
    turn({ newTokenPauseMs: 300 }),
    { kind: 'same_token', pauseMs: 300 },
  ],
  [
    'a 401 to the token after it, which is new',
    { status: 401 },
    turn({ renewed: true, newTokenPauseMs: 300 }),
    { kind: 'same_token', pauseMs: 300 },
  ],
  ['a bare 403 to a token', { status: 403 }, call, { kind: 'deliver', doubtsToken: true }],
  ['a 403 of JSON-RPC to a token', { status: 403, rpcError: true }, call, { kind: 'deliver' }],
  ['a bare 403 to a key', { status: 403 }, key, { kind: 'deliver' }],
  ['a 401 to nobody', { status: 401 }, anonymous, { kind: 'sign_in' }],
  ['a 401 to a key', { status: 401 }, key, { kind: 'renew' }],
  ['a 403 with invalid_token', { status: 403, oauthError: 'invalid_token' }, call, { kind: 'renew' }],
  ['a 400 with invalid_token', { status: 400, oauthError: 'invalid_token' }, call, { kind: 'renew' }],
  ['a 403 with invalid_token, again', { status: 403, oauthError: 'invalid_token' }, again, { kind: 'deliver' }],
  ['a 400 with invalid_token, again', { status: 400, oauthError: 'invalid_token' }, again, { kind: 'refused' }],
  [
    'a 400 with invalid_token in JSON-RPC, again',
    { status: 400, oauthError: 'invalid_token', rpcError: true },
    again,
    { kind: 'deliver' },
  ],
  ['a 403 with invalid_token to a key', { status: 403, oauthError: 'invalid_token' }, key, { kind: 'deliver' }],
  [
    'a 403 with another code',
    { status: 403, oauthError: 'access_denied' },
    call,
    { kind: 'deliver', doubtsToken: true },
  ],
  ['a 400 with another code', { status: 400, oauthError: 'invalid_request' }, call, { kind: 'deliver' }],
  [
    'invalid_token in the body of a 403 to a call',
    { status: 403, bodyError: 'invalid_token' },
    call,
    { kind: 'deliver', doubtsToken: 'said' },
  ],
  [
    'invalid_token in the body of a 400 to a call',
    { status: 400, bodyError: 'invalid_token' },
    call,
    { kind: 'deliver', doubtsToken: 'said' },
  ],
  [
    'invalid_token in the body of a 403 to a list',
    { status: 403, bodyError: 'invalid_token' },
    list,
    { kind: 'renew' },
  ],
  [
    'invalid_token in the body of a 400 to nobody',
    { status: 400, bodyError: 'invalid_token' },
    anonymous,
    { kind: 'sign_in' },
  ],
  ['a 403 to nobody', { status: 403 }, anonymous, { kind: 'sign_in' }],
  ['a 403 of JSON-RPC to nobody', { status: 403, rpcError: true }, anonymous, { kind: 'deliver' }],
  ['a 400 to nobody', { status: 400 }, anonymous, { kind: 'deliver' }],
  ['a 400 with invalid_token to nobody', { status: 400, oauthError: 'invalid_token' }, anonymous, { kind: 'sign_in' }],
  ['missing scopes', { status: 403, lacksScopes: true }, call, { kind: 'more_access' }],
  ['missing scopes of a key', { status: 403, lacksScopes: true }, key, { kind: 'deliver' }],

  ['a 503 to a call', { status: 503 }, call, { kind: 'deliver' }],
  ['a 503 with a time to a call', { status: 503, retryAfterMs: second }, call, { kind: 'unclear', ms: second }],
  ['a 503 at once to a call', { status: 503, retryAfterMs: 0 }, call, { kind: 'unclear', ms: 0 }],
  ['a 429 with a time to a call', { status: 429, retryAfterMs: second }, call, { kind: 'rate_limited', ms: second }],
  ['a 429 to a call', { status: 429 }, call, { kind: 'deliver' }],
  ['a 502 to a call', { status: 502 }, call, { kind: 'deliver' }],
  ['a 504 with a time to a call', { status: 504, retryAfterMs: second }, call, { kind: 'deliver' }],
  ['a 500 to a call', { status: 500 }, call, { kind: 'deliver', doubtsToken: true }],
  ['a 404 to a call', { status: 404 }, call, { kind: 'deliver' }],

  ['a 503 of JSON-RPC', { status: 503, rpcError: true, retryAfterMs: second }, list, { kind: 'deliver' }],
  [
    'a 503 with a time to a list',
    { status: 503, retryAfterMs: 3 * second },
    list,
    { kind: 'repeat', pauseMs: 3 * second },
  ],
  ['a 503 at once to a list', { status: 503, retryAfterMs: 0 }, list, { kind: 'repeat', pauseMs: 500 }],
  [
    'a third 503 at once to a list',
    { status: 503, retryAfterMs: 0 },
    { ...list, repeats: 2 },
    { kind: 'repeat', pauseMs: 2 * second },
  ],
  [
    'a fourth 503 at once to a list',
    { status: 503, retryAfterMs: 0 },
    { ...list, repeats: 3 },
    { kind: 'rate_limited', ms: 0 },
  ],
  [
    'a 503 with a long time to a list',
    { status: 503, retryAfterMs: minute },
    list,
    { kind: 'rate_limited', ms: minute },
  ],
  [
    'a 503 with a time to a list that has waited',
    { status: 503, retryAfterMs: 6 * second },
    { ...list, waitedMs: 15 * second },
    { kind: 'rate_limited', ms: 6 * second },
  ],
  ['a 503 to a list', { status: 503 }, list, { kind: 'repeat', pauseMs: 500 }],
  ['a second 502 to a list', { status: 502 }, { ...list, repeats: 1 }, { kind: 'repeat', pauseMs: second }],
  ['a fourth 504 to a list', { status: 504 }, { ...list, repeats: 3 }, { kind: 'deliver' }],
  ['a 500 to a list', { status: 500 }, list, { kind: 'deliver', doubtsToken: true }],
  ['a 503 to initialize', { status: 503 }, opening, { kind: 'deliver' }],
  [
    'a 503 with a time to initialize',
    { status: 503, retryAfterMs: second },
    opening,
    { kind: 'repeat', pauseMs: second },
  ],
];

describe('what becomes of a response', () => {
  it.each(table)('%s', (_name, said, asked, verdict) => {
    expect(classify(response(said), asked)).toEqual(verdict);
  });

  it('a call is sent again after a refusal of its credential, missing scopes or a redirect, and after nothing else', () => {
    const harmless = new Set([
      'deliver',
      'redirect',
      'sign_in',
      'renew',
      'refused',
      'more_access',
      'rate_limited',
      'unclear',
    ]);
    for (let status = 200; status < 600; status += 1) {
      for (const retryAfterMs of [undefined, 0, second])
        expect(harmless).toContain(classify(response({ status, retryAfterMs }), call).kind);
    }
  });
});

describe('what may be sent twice', () => {
  it.each(['tools/call', 'tasks/cancel', 'elicitation/create', 'vendor/act', 'TOOLS/LIST', ''])(
    '%s is not',
    (method) => {
      expect(isRepeatable(method)).toBe(false);
    },
  );
  it.each(['tools/list', 'resources/read', 'prompts/get', 'completion/complete', 'ping'])('%s is', (method) => {
    expect(isRepeatable(method)).toBe(true);
  });
});
