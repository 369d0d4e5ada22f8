import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scenarioNames, startFaulty, type Faulty } from '../fixtures/faulty-server.ts';
import {
  ask,
  registration,
  authorizationUrl,
  exchange,
  refreshWith,
  rpc,
  toolCall,
  signedIn,
  post,
} from '../fixtures/faulty-by-hand.ts';

type Step =
  | 'challenge'
  | 'prm'
  | 'metadata'
  | 'register'
  | 'authorize'
  | 'token'
  | 'refresh'
  | 'reuse'
  | 'initialize'
  | 'list'
  | 'call'
  | 'again';
type Transcript = Record<Step, string>;

/** Sends one request to every endpoint. */
async function probe(faulty: Faulty, name: string): Promise<Transcript> {
  const { clientId, access, refresh, code } = await signedIn(faulty);
  await faulty.setScenario(name, { times: name === 'healthy' ? 0 : Infinity, expiresIn: 'soon', bytes: 1_000_000 });
  // Wait briefly if no response will come, and longer otherwise because the machine may be busy.
  const patience = /hang|slow|hold|comments|server-request/.test(name) ? 400 : undefined;
  const initialized = await post(faulty, access, rpc('initialize'));
  const session = initialized.headers.get('mcp-session-id') ?? undefined;
  const answers = {
    initialize: initialized,
    list: await post(faulty, access, rpc('tools/list'), session),
    call: await post(faulty, access, toolCall, session, patience),
    again: await post(faulty, access, toolCall, session, patience),
    challenge: await ask(faulty.url, { method: 'POST', body: rpc('initialize') }),
    prm: await ask(faulty.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'), {}, patience),
    metadata: await ask(`${faulty.issuer}/.well-known/oauth-authorization-server`, {}, patience),
    register: await ask(`${faulty.issuer}/register`, registration),
    authorize: await ask(authorizationUrl(faulty, clientId)),
    token: await exchange(faulty, clientId, code, patience),
    refresh: await refreshWith(faulty, clientId, refresh, patience),
    reuse: await refreshWith(faulty, clientId, refresh, patience),
  };
  const random = /kb-(code|access|refresh)-[\w-]+|client-\d+|[\da-f]{8}-[\da-f-]{27}|(?<="client_id_issued_at":)\d+/g;
  return Object.fromEntries(
    Object.entries(answers).map(([step, { text }]) => [
      step,
      text.replaceAll(random, (found) => (found.length < 1_000 ? '*' : 'long')),
    ]),
  ) as Transcript;
}

describe('each scenario', () => {
  let faulty: Faulty;
  let healthy: Transcript;
  beforeAll(async () => {
    faulty = await startFaulty();
    healthy = await probe(faulty, 'healthy');
  });
  afterAll(() => faulty.close());

  it('is healthy by default', () => {
    expect(Object.fromEntries(Object.entries(healthy).map(([step, text]) => [step, text.split('\n')[0]]))).toEqual({
      initialize: '200',
      list: '200',
      call: '200',
      again: '200',
      challenge: '401',
      prm: '200',
      metadata: '200',
      register: '201',
      authorize: '302',
      token: '200',
      refresh: '200',
      reuse: '200',
    });
  });

  /** Steps that a scenario may change, by its name or the prefix of its name. */
  const touches: Record<string, Step[]> = {
    'healthy-': ['refresh', 'reuse'],
    'as-': ['metadata'],
    'prm-': ['prm', 'challenge'],
    'www-auth-': ['challenge'],
    'authz-': ['authorize'],
    'dcr-': ['register', 'metadata'],
    'token-': ['token'],
    'refresh-': ['refresh', 'reuse'],
    'mcp-': ['call', 'again'],
    'sse-': ['call', 'again'],
    'as-migrates': ['prm'],
    'as-moved': ['prm', 'call', 'again'],
    'as-moved-down': ['prm', 'metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'as-down': ['metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'refresh-as-down': ['metadata', 'register', 'authorize', 'token', 'refresh', 'reuse'],
    'rs-down': ['challenge', 'prm', 'initialize', 'list', 'call', 'again'],
    'dcr-forgotten': ['authorize', 'token', 'refresh', 'reuse'],
    // The connection is cut before the request is read, so every POST is affected.
    'mcp-reset-before': ['challenge', 'initialize', 'list', 'call', 'again'],
    'mcp-403-missing-scopes': ['prm', 'call', 'again'],
    'mcp-403-no-token': ['challenge'],
    'mcp-open-handshake': ['challenge'],
    'as-no-iss': ['metadata', 'authorize'],
    'as-republished': ['metadata', 'authorize'],
    'mcp-session-404': ['initialize', 'list', 'call', 'again'],
    'captive-portal': [
      'challenge',
      'prm',
      'metadata',
      'register',
      'authorize',
      'token',
      'refresh',
      'reuse',
      'initialize',
      'list',
      'call',
      'again',
    ],
  };
  // These differ in their side effects, not in their responses; faulty-stories.test.ts tests them.
  const sameAnswer = new Set(['healthy', 'short-lived', 'authz-replay', 'refresh-same-at']);

  it.each(scenarioNames.filter((name) => !sameAnswer.has(name)))(
    '%s changes what its name says and leaves the rest alone',
    async (name) => {
      const transcript = await probe(faulty, name);
      const changed = (Object.keys(healthy) as Step[]).filter((step) => transcript[step] !== healthy[step]);
      const start = Object.keys(touches).find((prefix) => prefix.endsWith('-') && name.startsWith(prefix)) ?? '';
      const allowed = touches[name] ?? touches[start] ?? [];
      expect(changed).not.toEqual([]);
      expect(changed.filter((step) => !allowed.includes(step))).toEqual([]);
    },
  );
});
