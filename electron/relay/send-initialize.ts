import { AppError } from '../core/base/errors.ts';
import { createInitializeLimit } from './initialize-limit.ts';
import type { InitializeResponse } from './initialize-response.ts';
import type { ServerRequest } from './model.ts';
import { sendRequest, type RequestDeps } from './request.ts';
import type { PendingRequest, ResponseHandler } from './response.ts';

/** Sends `initialize`. Resolves with the server's response, which may be an error; throws when there is none. */
export async function sendInitialize(
  deps: RequestDeps,
  request: PendingRequest,
  signal: AbortSignal,
  onChallenge: ServerRequest['onChallenge'],
): Promise<InitializeResponse> {
  const { clock, server } = deps;
  let response: InitializeResponse | undefined;
  const handler: ResponseHandler = {
    onResponse: (line, found, head) => {
      response = { line, found, head };
    },
    onServerMessage: () => {},
    drained: () => undefined,
  };
  deps.serverClient.forgetCookies();
  const limit = createInitializeLimit(clock, server);
  await sendRequest(deps, request, handler, {
    session: undefined,
    signal: AbortSignal.any([signal, limit.signal]),
    onChallenge,
    onHead: limit.begin,
  })
    .catch(limit.explain)
    .finally(limit.end);
  if (!response) throw new AppError('E_SERVER_ANSWER', 'The server did not answer initialize.', { server });
  return response;
}
