import type { PendingRequest } from './response.ts';

/** Requests by which the server keeps something in a session: subscriptions and the log level. */
export interface ReplayedRequests {
  /** A request that the server has answered. One of this kind is kept, and sent again in each new session. */
  remember(request: PendingRequest): void;
  all(): readonly PendingRequest[];
  clear(): void;
}

const maxRemembered = 1_000;

export function createReplayedRequests(): ReplayedRequests {
  const remembered = new Map<string, PendingRequest>();
  return {
    remember(request) {
      const { method, name } = request.envelope;
      if (method === 'logging/setLevel') remembered.set(method, request);
      else if (method === 'resources/subscribe' && name !== undefined && remembered.size < maxRemembered)
        remembered.set(name, request);
      else if (method === 'resources/unsubscribe' && name !== undefined) remembered.delete(name);
    },
    all: () => [...remembered.values()],
    clear: () => remembered.clear(),
  };
}
