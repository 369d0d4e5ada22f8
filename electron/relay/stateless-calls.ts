import type { ResponseHandler } from './model.ts';
import { sendRequest, type RequestOptions } from './request.ts';
import type { Call, RunningCalls } from './running-calls.ts';
import { listen, type ListenDeps } from './subscriptions.ts';

export interface StatelessCallsDeps extends ListenDeps {
  readonly calls: RunningCalls;
  readonly handlerFor: (call: Call) => ResponseHandler;
}

/** Runs a call of the stateless protocol generation (MCP 2026-07-28). Throws if it gets no response. */
export async function runStateless(deps: StatelessCallsDeps, call: Call): Promise<void> {
  const options: RequestOptions = {
    session: undefined,
    signal: call.abort.signal,
    onChallenge: 'wait',
    onResponseStart: () => deps.calls.responseStarted(call),
  };
  const { request } = call;
  if (request.envelope.method === 'subscriptions/listen') await listen(deps, request, deps.handlerFor(call), options);
  else await sendRequest(deps, request, deps.handlerFor(call), options);
}
