import type { PendingRequest } from './model.ts';

/** Requests whose effect ends with a session, and that are replayed in the next one: subscriptions, the log level. */
export interface ReplayedRequests {
  /** Takes a request that the server has answered, and keeps it if it is one of these. */
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
