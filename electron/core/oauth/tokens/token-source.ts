import type { SignOutReport } from '../../../../shared/model.ts';
import { AppError, asAppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { createBackoff } from './backoff.ts';
import { createCachedToken, type CachedToken } from './cached-token.ts';
import { changedAddress, refreshCredential, type RefreshDeps, type RefreshResult, withLongLived } from './refresh.ts';
import { createMoveWatch } from './issuer-moved.ts';
import { createNewToken } from './new-token.ts';
import { createRejectedTokenGuard } from './rejected-token-guard.ts';
import { signOutOf } from './revocation.ts';
import { createSemaphore } from '../../base/semaphore.ts';
import { tokenState } from './token-state.ts';
import { createRefreshFailure } from './refresh-failure.ts';
import { createCondition } from '../../base/condition.ts';
import { type Credential, isRenewable } from '../../vault/credential.ts';
import type { TokenResult, TokenState } from '../model.ts';

/** Longest wait of a call for a token, in ms. */
const callWaitMs = 20_000;

export interface TokenSourceDeps extends RefreshDeps {
  readonly random: () => number;
  readonly onChange: (credentialId: string) => void;
  /** Why the sign-in is no good any more, when its server has moved to another authorization server. */
  readonly movedFrom?: (credentialId: string) => Promise<AppError | undefined>;
  /** Why this access token must not be sent to its MCP server (audience.ts). */
  readonly audienceFault: (credentialId: string, token: Secret) => AppError | undefined;
  /** A sign-in that had ended for want of a person works again by itself: what gave up on it can go on. */
  readonly onRecovered: (credentialId: string) => void;
  /** True: the app is about to end. */
  readonly closing: () => boolean;
}

/** TokenKeeper, for one credential. */
export interface TokenSource {
  accessToken(options?: {
    readonly rejected?: Secret;
    readonly signal?: AbortSignal;
    readonly waitMs?: number;
  }): Promise<TokenResult>;
  adopt(credential: Credential, accessToken: Secret, expiresInMs: number | undefined): Promise<void>;
  refreshNow(): Promise<TokenResult>;
  reviewAudience(): boolean;
  hold(): () => void;
  signOut(): Promise<SignOutReport>;
  state(): TokenState;
  current(): CachedToken | undefined;
  accepted(token: Secret): void;
  newTokenPauseMs(token: Secret): number | undefined;
  doubt(token: Secret, said?: boolean): void;
  /** Refreshes because the journal says that the last refresh was cut off. */
  resume(): void;
  woke(): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<unknown>;
  drop(): void;
}

export function createTokenSource(deps: TokenSourceDeps, id: string): TokenSource {
  const { clock, random, vault } = deps;
  const turn = createSemaphore(1);
  const waiting = createCondition(clock);
  const backoff = createBackoff({ clock, random, tryNow: run, wanted: () => waiting.count > 0 });
  const trouble = createRefreshFailure({
    id,
    clock,
    log: deps.log,
    backoff,
    tokenOver: () => live === undefined || live.stage === 'spent',
  });
  const refusals = createRejectedTokenGuard(clock);
  const newToken = createNewToken(clock);
  const moves = createMoveWatch(clock, deps.movedFrom && (async () => deps.movedFrom?.(id)));
  const flights = new Set<Promise<void>>();
  let flight: Promise<void> | undefined;
  let live: CachedToken | undefined;
  /** Why `live` is sent to nobody. */
  let keptBack: AppError | undefined;
  /** Changes with each sign-in and sign-out: what began before does not count any more. */
  let era: { superseded: 'no' | 'signed_in' | 'signed_out' } = { superseded: 'no' };
  let signedOut = false;
  /**
   * The server refused what cannot be renewed. It is sent again now and then, and stands as refused until the server
   * takes it.
   */
  let onTrial = false;
  let holders = 0;

  const exists = (): boolean => !signedOut && (vault.facts(id) !== undefined || vault.uncertain(id));
  const usable = (): CachedToken | undefined => (live && live.stage !== 'spent' && !keptBack ? live : undefined);

  function changed(): void {
    waiting.changed();
    deps.onChange(id);
  }

  function use(token: Secret | undefined, lifeMs?: number, header?: string): void {
    live?.drop();
    live =
      token &&
      createCachedToken({
        clock,
        random,
        token,
        lifeMs,
        header,
        onDue: () => (holders > 0 || waiting.count > 0) && tryRun(),
      });
    keptBack = audienceFault();
    if (keptBack) deps.log('token_kept_back', { credential: id, code: keptBack.code });
  }

  /** A fixed key is for the origin that it was entered for, whatever it says. */
  function audienceFault(): AppError | undefined {
    return live && vault.facts(id)?.grant !== 'static_header' ? deps.audienceFault(id, live.token) : undefined;
  }

  function nextEra(superseded: 'signed_in' | 'signed_out'): void {
    era.superseded = superseded;
    era = { superseded: 'no' };
    flight = undefined;
    refusals.forget();
    newToken.forget();
    onTrial = false;
    signedOut = superseded === 'signed_out';
    trouble.clear();
    use(undefined);
  }

  function tryRun(): void {
    if (backoff.mayTry && !keptBack) run();
  }

  /** Starts the one refresh of this credential, unless it runs already. */
  function run(): void {
    if (flight || deps.closing()) return;
    backoff.begin();
    const mine = era;
    const onUnsaved = (error: AppError): void => {
      if (mine !== era) return;
      trouble.unsaved(error);
      changed();
    };
    const subject = { id, turn, superseded: () => mine.superseded, closing: deps.closing, onUnsaved };
    const fly = async (): Promise<void> => {
      const outcome = await refreshCredential(deps, subject).catch(
        (error: unknown) => ({ kind: 'failed', error: asAppError(error) }) as const,
      );
      const result = outcome.kind === 'failed' && mine === era ? ((await moves.failed()) ?? outcome) : outcome;
      if (mine !== era) return;
      flight = undefined;
      settle(result);
      changed();
    };
    const current = fly().finally(() => flights.delete(current));
    flight = current;
    flights.add(current);
  }

  function settle(result: RefreshResult): void {
    const ended = trouble.now?.kind === 'ended';
    switch (result.kind) {
      case 'refreshed':
        // The same token once more tells nothing about its life: it is used until the server refuses it (RF13).
        use(result.accessToken, live?.token.equals(result.accessToken) ? undefined : result.expiresInMs);
        newToken.issued();
        return recovered(ended);
      case 'access_only':
        use(result.accessToken, undefined, result.header);
        // What the server refused is good again when the server takes it, not when it was read.
        return onTrial ? undefined : recovered(ended);
      case 'absent':
        use(undefined);
        if (!vault.facts(id)) return recovered(false);
        return trouble.meet({
          kind: 'ended',
          final: false,
          error: new AppError('E_SIGN_IN_AGAIN', 'The sign-in is no longer in the store of secrets.'),
        });
      case 'ended':
        use(undefined);
        return trouble.meet(result);
      case 'client_refused':
      case 'failed':
      case 'blocked':
        return trouble.meet(result);
      case 'superseded':
    }
  }

  /** `ended`: calls had been told that the sign-in is over. */
  function recovered(ended: boolean): void {
    onTrial = false;
    trouble.clear();
    refusals.renewed();
    moves.recovered();
    if (ended && usable()) deps.onRecovered(id);
  }

  /** What a waiting call can be told by now; undefined: it waits on. */
  function answerByNow(): TokenResult | Promise<TokenResult> | undefined {
    if (keptBack) return { kind: 'refused', error: keptBack };
    if (!usable() && exists()) tryRun();
    const token = usable();
    if (token) return token.answer;
    if (!exists()) return { kind: 'anonymous' };
    if (flight || !trouble.now) return undefined;
    if (trouble.now.kind === 'ended') return { kind: 'refused', error: trouble.now.error };
    // Where a person has to unlock first, nothing is gained by waiting.
    if (trouble.now.kind === 'blocked' && trouble.now.error.code !== 'E_STORE_UNAVAILABLE') return notNow();
    return undefined;
  }

  function notNow(): TokenResult {
    return {
      kind: 'unavailable',
      error: trouble.now?.error ?? new AppError('E_REFRESH_FAILED', 'The authorization server has not answered yet.'),
    };
  }

  async function obtain({
    rejected,
    signal,
    waitMs = callWaitMs,
  }: NonNullable<Parameters<TokenSource['accessToken']>[0]>): Promise<TokenResult> {
    const token = usable();
    if (token && rejected && token.token.equals(rejected)) {
      const refusal = refuse(token);
      if (refusal)
        return { kind: 'refused', error: (refusal.code === 'E_SERVER_REFUSED' && (await movedAway(token))) || refusal };
    } else if (token) {
      if (token.stage === 'due') tryRun();
      return token.answer;
    }
    const answer = await waiting.wait(answerByNow, Math.min(waitMs, callWaitMs), signal);
    if (answer === 'cancelled')
      return { kind: 'unavailable', error: new AppError('E_CANCELLED', 'The call was cancelled.') };
    return answer === 'late' ? notNow() : answer;
  }

  /** Ends the sign-in whose token the server does not take any more because it has moved; gives the error. */
  async function movedAway(token: CachedToken): Promise<AppError | undefined> {
    const moved = vault.facts(id)?.grant === undefined ? await moves.refused() : undefined;
    if (!moved || live !== token) return undefined;
    settle(moved);
    changed();
    return moved.error;
  }

  /** The server answered 401 to the newest token. Gives an error when no refresh can help now. */
  function refuse(token: CachedToken): AppError | undefined {
    // A token that is near its end anyway is renewed, however short its life is.
    if (refusals.tooSoon && token.stage === 'fresh')
      return new AppError('E_SERVER_REFUSED', 'The server refused a token that was renewed a moment ago.');
    token.spend();
    refusals.refused();
    if (vault.facts(id)?.renewable !== false) return undefined;
    const error =
      vault.facts(id)?.grant === 'static_header'
        ? new AppError('E_SERVER_REFUSED', 'The server refused the key. Enter another one, and sign in again.')
        : new AppError('E_SIGN_IN_AGAIN', 'The server refused the access token, and it gave no refresh token.');
    onTrial = true;
    trouble.meet({ kind: 'ended', final: false, error, pauseMs: refusals.trialPauseMs() });
    changed();
    return error;
  }

  return {
    accessToken(options) {
      // The way of almost every call: no work, no promise of its own.
      if (live?.stage === 'fresh' && !keptBack && options?.rejected === undefined) return live.answer;
      return obtain(options ?? {});
    },

    async adopt(credential, accessToken, expiresInMs) {
      await turn.run(async () => {
        const written = await vault.write(withLongLived(credential, accessToken, expiresInMs, clock.now()));
        if (written.kind !== 'done') throw storeFault(written, 'The sign-in could not be stored');
        nextEra('signed_in');
        // A key is read, with the name of its header, from where the user put it.
        if (credential.grant === 'static_header') return;
        use(accessToken, isRenewable(credential) ? expiresInMs : undefined);
        newToken.issued();
      });
      changed();
      if (keptBack) throw keptBack;
    },

    async refreshNow() {
      if (exists()) {
        backoff.succeeded();
        run();
        const running = flight;
        if (running) await waiting.wait(() => (flight === running ? undefined : true), callWaitMs, undefined);
      }
      if (trouble.now && !(onTrial && usable()))
        return trouble.now.kind === 'ended' ? { kind: 'refused', error: trouble.now.error } : notNow();
      return (await answerByNow()) ?? notNow();
    },

    reviewAudience() {
      const before = keptBack;
      keptBack = audienceFault();
      if (before || keptBack) changed();
      return before !== undefined && keptBack === undefined;
    },

    hold() {
      let held = true;
      holders += 1;
      if (live?.stage === 'due') tryRun();
      return () => {
        if (held) holders -= 1;
        held = false;
      };
    },

    async signOut() {
      const token = live?.token;
      nextEra('signed_out');
      changed();
      const report = await turn.run(() => {
        // A sign-in that was being stored when this began is over as well.
        const stored = live?.token;
        nextEra('signed_out');
        return signOutOf(deps, id, stored ?? token);
      });
      changed();
      return report;
    },

    state() {
      if (signedOut) return { kind: 'none' };
      const facts = vault.facts(id);
      const moved = facts && changedAddress(deps, facts);
      return tokenState({ facts, trouble: trouble.now, moved, keptBack, live, held: holders > 0, now: clock.now() });
    },
    current: () => live,

    accepted(token) {
      if (!live?.token.equals(token)) return;
      refusals.accepted();
      if (!onTrial) return;
      // The bridges of the account hear of it as they hear of any success.
      recovered(false);
      changed();
    },
    // One that is near its own end is no longer new, however short its life is.
    newTokenPauseMs: (token) => (live?.stage === 'fresh' && live.token.equals(token) ? newToken.pauseMs : undefined),
    doubt(token, said = false) {
      const mayBeOver =
        live?.token.equals(token) === true &&
        (said || live.expiresAt === undefined) &&
        vault.facts(id)?.renewable !== false;
      if (!mayBeOver || !backoff.mayTry || !refusals.doubted()) return;
      deps.log('token_doubted', { credential: id });
      tryRun();
    },
    resume: tryRun,
    woke() {
      live?.woke();
      backoff.wake();
    },
    idle: () => Promise.all([...flights, turn.run(async () => {})]),
    drop() {
      live?.drop();
      newToken.forget();
      moves.stop();
      backoff.stop();
    },
  };
}
