import { describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import {
  errorOf,
  nextSessionState,
  sessionOf,
  type McpSessionEvent,
  type McpSessionState,
} from '../../electron/relay/mcp-session-state.ts';
import type { PendingRequest } from '../../electron/relay/model.ts';
import { readEnvelope } from '../../shared/json-rpc.ts';

function initializeRequest(id: number): PendingRequest {
  const line = Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"initialize","params":{}}`);
  return { line, envelope: readEnvelope(line) as PendingRequest['envelope'] };
}
const sessionNamed = (sessionId: string) => ({ sessionId, version: '2025-11-25', suspect: false, unsure: false });

const initialize = initializeRequest(1);
const other = initializeRequest(2);
const old = sessionNamed('old');
const session = sessionNamed('new');
const earlier = new AppError('E_SIGN_IN_NEEDED', 'The server asks for a sign-in.', {});
const error = new AppError('E_CONNECT', 'The server cannot be reached.', {});
const host = { initialize, initialized: Buffer.from('{}'), answeredLocally: false, capabilities: { tools: {} } };
const result = { session, capabilities: { prompts: {} } };

const states = {
  none: { kind: 'none' },
  opening: { kind: 'opening', ...host },
  open: { kind: 'open', ...host, session: old },
  unavailable: { kind: 'unavailable', ...host, error: earlier },
  reopening: { kind: 'reopening', ...host, error: earlier, session: old },
  finishing: { kind: 'finishing', ...host, error: earlier, session },
} as const satisfies Record<string, McpSessionState>;
type StateName = keyof typeof states;

const line = Buffer.from('{"method":"notifications/initialized"}');
const events = {
  host_initialize: { type: 'host_initialize', initialize: other },
  host_initialized: { type: 'host_initialized', line },
  opened: { type: 'opened', initialize, result },
  rejected: { type: 'rejected', initialize },
  cancelled: { type: 'cancelled', initialize },
  failed: { type: 'failed', initialize, error },
  'opened for another initialize': { type: 'opened', initialize: other, result },
  'rejected for another initialize': { type: 'rejected', initialize: other },
  'cancelled for another initialize': { type: 'cancelled', initialize: other },
  'failed for another initialize': { type: 'failed', initialize: other, error },
  reopen: { type: 'reopen' },
  finished: { type: 'finished', session },
  'finished with another session': { type: 'finished', session: sessionNamed('third') },
} as const satisfies Record<string, McpSessionEvent>;
type EventName = keyof typeof events;

const anew: McpSessionState = {
  kind: 'opening',
  initialize: other,
  initialized: undefined,
  answeredLocally: false,
  capabilities: {},
};
const failed: McpSessionState = { kind: 'unavailable', ...host, error };
const updated = { ...host, capabilities: result.capabilities };

/** Every transition that changes something. All others leave the state as it is. */
const transitions: Record<StateName, Partial<Record<EventName, McpSessionState>>> = {
  none: { host_initialize: anew },
  opening: {
    host_initialize: anew,
    host_initialized: { ...states.opening, initialized: line },
    opened: { kind: 'open', ...updated, session },
    rejected: states.none,
    cancelled: { kind: 'unavailable', ...host, error: undefined },
    failed: { ...failed, answeredLocally: true },
  },
  open: {
    host_initialize: anew,
    host_initialized: { ...states.open, initialized: line },
    failed,
    reopen: { kind: 'reopening', ...host, error: undefined, session: old },
  },
  unavailable: {
    host_initialize: anew,
    host_initialized: { ...states.unavailable, initialized: line },
    failed,
    reopen: { kind: 'reopening', ...host, error: earlier, session: undefined },
  },
  reopening: {
    host_initialize: anew,
    host_initialized: { ...states.reopening, initialized: line },
    opened: { kind: 'finishing', ...updated, error: earlier, session },
    failed,
  },
  finishing: {
    host_initialize: anew,
    host_initialized: { ...states.finishing, initialized: line },
    failed,
    finished: { kind: 'open', ...host, session },
  },
};

const names = <Name extends string>(of: Record<Name, unknown>) => Object.keys(of) as Name[];
const rows = names(states).flatMap((state) => names(events).map((event) => [state, event] as const));

describe('the state of an MCP session', () => {
  it.each(rows)('changes as the table says when it is %s and the event is %s', (state, event) => {
    expect(nextSessionState(states[state], events[event])).toEqual(transitions[state][event] ?? states[state]);
  });

  it.each([
    ['none', undefined, undefined],
    ['opening', undefined, undefined],
    ['open', old, undefined],
    ['unavailable', undefined, earlier],
    ['reopening', old, earlier],
    ['finishing', session, earlier],
  ] as const)('has this session and error when it is %s', (state, wanted, why) => {
    expect(sessionOf(states[state])).toBe(wanted);
    expect(errorOf(states[state])).toBe(why);
  });
});
