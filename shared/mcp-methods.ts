/** Versions of the generation with `initialize`, newest first. */
export const initializeVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'] as const;

/**
 * Requests without effects, which may be sent again when the response was lost. A second `initialize` only leaves an
 * unused session behind.
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

/** Error codes of a stateless server that got `initialize`: unknown method, invalid parameters, those of 2026-07-28. */
const statelessRefusals = new Set([-32_601, -32_602, -32_020, -32_021, -32_022]);

export const refusesInitialize = (code: unknown): boolean => typeof code === 'number' && statelessRefusals.has(code);

/** Time limit for the head of a response, in ms. Tools may take long; looking something up may not. */
export function answerTimeoutMs(method: string): number {
  if (method === 'initialize') return 20_000;
  return method === 'subscriptions/listen' || looksUp(method) ? 30_000 : 300_000;
}

/**
 * Longest silence in the middle of a response, in ms. Undefined for no limit: event streams of long calls and
 * subscriptions.
 */
export function silenceMs(method: string, streamed: boolean): number | undefined {
  return streamed && method !== 'initialize' && !looksUp(method) ? undefined : answerTimeoutMs(method);
}

const looksUp = (method: string): boolean => /^(?:ping|server\/discover|logging\/setLevel|.*\/list)$/.test(method);
