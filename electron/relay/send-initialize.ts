import { AppError } from '../core/base/errors.ts';
import { createInitializeLimit } from './initialize-limit.ts';
import type { InitializeResponse } from './initialize-response.ts';
import type { PendingRequest, ResponseHandler, ServerRequest } from './model.ts';
import { sendRequest, type RequestDeps } from './request.ts';

/** Sends `initialize`. Resolves with the server's response, which may be an error. Throws if there is none. */
export async function sendInitialize(
  deps: RequestDeps,
  request: PendingRequest,
  signal: AbortSignal,
  onChallenge: ServerRequest['onChallenge'],
): Promise<InitializeResponse> {
  const { clock, server, serverClient } = deps;
  let response: InitializeResponse | undefined;
  const handler: ResponseHandler = {
    onResponse: (line, envelope, head) => {
      response = { line, envelope, head };
    },
    onServerMessage: () => {},
    drained: () => undefined,
  };
  serverClient.forgetCookies();
  const limit = createInitializeLimit(clock, server);
  await sendRequest(deps, request, handler, {
    session: undefined,
    signal: AbortSignal.any([signal, limit.signal]),
    onChallenge,
    onResponseStart: limit.start,
  })
    .catch(limit.rethrow)
    .finally(limit.stop);
  if (!response) throw new AppError('E_SERVER_ANSWER', 'The server did not respond to initialize.', { server });
  return response;
}
