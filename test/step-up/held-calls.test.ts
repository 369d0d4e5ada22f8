import { describe, expect, it } from 'vitest';
import { AppError } from '../../electron/core/base/errors.ts';
import type { Challenge } from '../../electron/core/oauth/model.ts';
import type { Server } from '../../electron/core/servers/server.ts';
import { createRuntimeNotes } from '../../electron/core/status/runtime-notes.ts';
import { createStepUps, type StepUpDeps } from '../../electron/core/step-up/step-up.ts';
import { createFakeClock } from '../fixtures/clock.ts';

describe('a held call', () => {
  function rig(more: Partial<StepUpDeps> = {}) {
    const clock = createFakeClock();
    const server = {
      id: 'server01',
      name: 'work',
      url: 'https://mcp.example.com/mcp',
      learnedScopes: {},
    } as unknown as Server;
    const notes = createRuntimeNotes();
    const updates: unknown[] = [];
    const stepUps = createStepUps({
      servers: { find: () => server, updateAccount: async (_id, change) => (updates.push(change), server) },
      notes,
      clock,
      log: () => {},
      offeredScopes: async () => [],
      grantedScopes: () => [],
      autoSignIn: undefined,
      onChange: () => {},
      ...more,
    });
    const ask = (operation: string, scope = 'a', more: { waitMs?: number; signal?: AbortSignal } = {}) =>
      stepUps.ask(server, 'Cursor', { scope } satisfies Challenge, { operation, waitMs: 50_000, ...more });
    return { clock, notes, stepUps, ask, updates };
  }

  it('is refused when its time is over, and the request for access stays in the notes', async () => {
    const { clock, notes, ask } = rig();
    const held = ask('admin');
    await clock.advance(49_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await held).toBe('refused');
    expect(notes.get('server01').missingScopes).toEqual(['a']);
  });

  it('leaves no timer behind when the host cancels it', async () => {
    const { clock, ask } = rig();
    const abort = new AbortController();
    const held = ask('admin', 'a', { signal: abort.signal });
    await clock.advance(0);
    abort.abort();
    expect(await held).toBe('refused');
    expect(clock.pending).toBe(0);
  });

  it('counts failed sign-ins as attempts, which expire after ten minutes', async () => {
    const { clock, stepUps, ask } = rig();
    for (let round = 0; round < 2; round += 1) {
      const held = ask('admin');
      await clock.advance(0);
      await stepUps.signInEnded('server01', new AppError('E_SIGN_IN_TIMEOUT', 'Too late.'));
      expect(await held).toBe('refused');
    }
    const third = ask('admin');
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    expect(await third).toBe('refused');
    await clock.advance(10 * 60_000);
    const later = ask('admin');
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    stepUps.forget('server01');
    expect(await later).toBe('refused');
  });

  it('forgets learned scopes when the authorization server refuses the request', async () => {
    const learnedScopes = { admin: ['gone'] };
    const { stepUps, updates } = rig({
      servers: {
        find: () => ({ learnedScopes }) as unknown as Server,
        updateAccount: async (_id, change) => (updates.push(change), {} as Server),
      },
    });
    await stepUps.signInEnded('server01', new AppError('E_AUTHORIZATION_ERROR', 'invalid_scope'));
    expect(updates).toEqual([{ learnedScopes: {} }]);
  });

  it('is not held if neither the challenge nor the metadata names a new scope', async () => {
    const { clock, ask, notes } = rig();
    expect(await ask('admin', '')).toBe('refused');
    expect(clock.pending).toBe(0);
    expect(notes.get('server01').accessRequests).toEqual([]);
  });
});
