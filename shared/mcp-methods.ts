/** Versions with `initialize` (the legacy generation) that a host may ask for, newest first. */
export const initializeVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'] as const;

/**
 * Requests that change nothing at the server: they may be sent again when the first try was lost. `initialize` only
 * opens a session that nobody uses then.
 */
const repeatable = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'subscriptions/listen',
]);

export const isRepeatable = (method: string): boolean => repeatable.has(method);

/**
 * Answers by which a server without `initialize` shows what it is when it is asked for one: unknown method, bad
 * parameters, the codes of 2026-07-28.
 */
const statelessRefusals = new Set([-32_601, -32_602, -32_020, -32_021, -32_022]);

export const refusesInitialize = (code: unknown): boolean => typeof code === 'number' && statelessRefusals.has(code);

/**
 * How long a server may take until the head of its answer is there, in ms. Work may take long; looking things up may
 * not.
 */
export function answerTimeoutMs(method: string): number {
  if (method === 'initialize') return 20_000;
  return method === 'subscriptions/listen' || looksUp(method) ? 30_000 : 300_000;
}

/**
 * How long it may then be silent in the middle of its answer, in ms. Undefined: for ever, because the answer is a
 * stream of work that takes long, or one without end.
 */
export function silenceMs(method: string, streamed: boolean): number | undefined {
  return streamed && method !== 'initialize' && !looksUp(method) ? undefined : answerTimeoutMs(method);
}

const looksUp = (method: string): boolean => /^(?:ping|server\/discover|logging\/setLevel|.*\/list)$/.test(method);
