import { AppError } from '../../base/errors.ts';
import type { TokenResult } from '../model.ts';
import type { CachedToken } from './cached-token.ts';
import type { CallOptions } from './model.ts';
import { isStored, usableToken, type SourceCore } from './source-core.ts';
import { failureNow, replyIn } from './source-state.ts';

/** Longest wait of a call for a token, in ms. */
const maxWaitMs = 20_000;

/** See `AccessTokens.accessToken`. */
export async function obtainToken(core: SourceCore, options: CallOptions = {}): Promise<TokenResult> {
  const { rejected, signal, waitMs = maxWaitMs } = options;
  const token = usableToken(core);
  if (token && rejected && token.token.equals(rejected)) {
    const error = rejectToken(core, token);
    if (error) {
      const moved = error.code === 'E_SERVER_REFUSED' ? await endIfMoved(core, token) : undefined;
      return { kind: 'refused', error: moved ?? error };
    }
  } else if (token) {
    if (token.stage === 'due') core.tryRefresh();
    return token.result;
  }
  const reply = await core.waiting.wait(() => replyNow(core), Math.min(waitMs, maxWaitMs), signal);
  if (reply === 'cancelled')
    return { kind: 'unavailable', error: new AppError('E_CANCELLED', 'The call was cancelled.') };
  return reply === 'late' ? unavailable(core) : reply;
}

/** See `AccessTokens.refreshNow`. */
export async function refreshNow(core: SourceCore): Promise<TokenResult> {
  const { backoff, runner, waiting } = core;
  if (isStored(core)) {
    backoff.succeeded();
    core.refresh();
    const running = runner.current;
    if (running) await waiting.wait(() => (runner.current === running ? undefined : true), maxWaitMs, undefined);
  }
  const failure = core.state.onTrial && usableToken(core) ? undefined : failureNow(core.state);
  if (failure) return failure.kind === 'ended' ? { kind: 'refused', error: failure.error } : unavailable(core);
  return (await replyNow(core)) ?? unavailable(core);
}

/** What a waiting call gets now, after starting a refresh where one is needed; undefined: it keeps waiting. */
function replyNow(core: SourceCore): TokenResult | Promise<TokenResult> | undefined {
  if (!usableToken(core) && isStored(core)) core.tryRefresh();
  const reply = replyIn(core.state, isStored(core));
  if (reply === 'token') return core.cache.current?.result;
  if (reply === 'anonymous') return { kind: 'anonymous' };
  if (reply === 'unavailable') return unavailable(core);
  return reply === 'wait' ? undefined : { kind: 'refused', error: reply.refused };
}

function unavailable({ state }: SourceCore): TokenResult {
  const noReply = 'The authorization server has not responded yet.';
  return { kind: 'unavailable', error: failureNow(state)?.error ?? new AppError('E_REFRESH_FAILED', noReply) };
}

/** The server answered 401 to the newest token. Returns an error when a refresh cannot help now. */
function rejectToken(core: SourceCore, token: CachedToken): AppError | undefined {
  const { rejections, failures, deps, id } = core;
  const verdict = rejections.judge(token.stage, deps.vault.facts(id));
  if (verdict.kind === 'too_soon') return verdict.error;
  token.markSpent();
  if (verdict.kind === 'renew') {
    core.dispatch({ kind: 'rejected' });
    return undefined;
  }
  failures.record({ ...verdict, kind: 'ended', final: false }, true);
  core.dispatch({ kind: 'rejected_for_good', error: verdict.error });
  core.changed();
  return verdict.error;
}

/** Ends the sign-in when its server rejects the token because it uses another authorization server; returns why. */
async function endIfMoved(core: SourceCore, token: CachedToken): Promise<AppError | undefined> {
  const { cache, deps, failures, id, moves } = core;
  const moved = deps.vault.facts(id)?.grant === undefined ? await moves.refused() : undefined;
  if (!moved || cache.current !== token) return undefined;
  failures.record(moved, true);
  core.dispatch({ kind: 'moved', error: moved.error });
  core.changed();
  return moved.error;
}
