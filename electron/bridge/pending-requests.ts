import { batchItems, readEnvelope, sameId } from '../../shared/json-rpc.ts';
import { createHostHandshake, type HandshakeReplay } from './host-handshake.ts';
import { peekMessage, isRequest, type MessagePeek } from './message-peek.ts';

/** A request of the host. `id` is JSON, exactly as in the message. */
export interface HostRequest {
  readonly id: string;
  readonly method: string;
}

/** The requests that are pending between the host and one broker, and how the session began. */
export interface PendingRequests {
  /** Records a line of the host. Returns false for a response to a lost broker, which the next one must not get. */
  sent(line: Buffer): boolean;
  /** Records a line of the broker. Returns the id if it is a response. */
  received(line: Buffer): string | undefined;
  /** Methods of the host's pending requests, by id. */
  readonly unanswered: ReadonlyMap<string, string>;
  /** Whether the host's `initialize` was answered with a result. */
  readonly isInitialized: boolean;
  /**
   * To be called when the broker is lost. Forgets the pending requests and returns them; a pending `initialize` as the
   * line to send again.
   */
  lost(): {
    readonly hostRequests: readonly HostRequest[];
    readonly serverRequests: readonly string[];
    readonly initialize: Buffer | undefined;
  };
  /** `id`: for the repeated `initialize`, as JSON. Undefined if there was no successful `initialize`. */
  replay(id: string): HandshakeReplay | undefined;
}

export function createPendingRequests(): PendingRequests {
  const unanswered = new Map<string, string>();
  /** Requests of the server that the host has not answered yet. */
  const serverRequests = new Set<string>();
  /** Those of earlier brokers. */
  const staleRequests = new Set<string>();
  const handshake = createHostHandshake();

  const recordSent = (line: Buffer, message: MessagePeek): boolean => {
    const { id, method, outcome } = message;
    if (message.batch) {
      forEachInBatch(line, (item, one) => void recordSent(item, one));
      return true;
    }
    if (method === undefined) {
      if (outcome === undefined || id === undefined || serverRequests.delete(id)) return true;
      return !staleRequests.delete(id);
    }
    if (id !== undefined && id !== 'null') {
      unanswered.set(id, method);
      if (method === 'initialize') handshake.recordInitialize(line, id);
    } else if (method === 'notifications/initialized') handshake.recordInitialized(line);
    else if (method === 'notifications/cancelled') unanswered.delete(readEnvelope(line).cancels ?? '');
    return true;
  };

  const recordResponse = (id: string, outcome: MessagePeek['outcome']) => {
    handshake.recordResponse(id, outcome);
    if (unanswered.delete(id)) return;
    // The server may write the same number in another way (1e3, 1000).
    for (const one of unanswered.keys()) if (sameId(one, id)) unanswered.delete(one);
  };

  const recordReceived = (line: Buffer, message: MessagePeek): string | undefined => {
    const { id, method, outcome } = message;
    if (message.batch) forEachInBatch(line, (item, one) => void recordReceived(item, one));
    if (id === undefined || id === 'null') {
      if (method === 'notifications/cancelled') serverRequests.delete(readEnvelope(line).cancels ?? '');
      return undefined;
    }
    if (method !== undefined) {
      serverRequests.add(id);
      staleRequests.delete(id);
      return undefined;
    }
    if (outcome === undefined) return undefined;
    recordResponse(id, outcome);
    return id;
  };

  return {
    sent: (line) => recordSent(line, peekMessage(line)),
    received: (line) => recordReceived(line, peekMessage(line)),
    unanswered,
    get isInitialized() {
      return handshake.isComplete;
    },
    lost() {
      const { unanswered: opening } = handshake;
      const initialize = opening && unanswered.delete(opening.id) ? opening.line : undefined;
      const hostRequests = [...unanswered].map(([id, method]) => ({ id, method }));
      const lost = { hostRequests, serverRequests: [...serverRequests], initialize };
      for (const id of serverRequests) staleRequests.add(id);
      serverRequests.clear();
      unanswered.clear();
      if (initialize) handshake.forget();
      return lost;
    },
    replay: (id) => handshake.replay(id),
  };
}

/** The requests in a line of the host: one, or those of a batch. */
export function requestsIn(line: Buffer): HostRequest[] {
  const requests: HostRequest[] = [];
  const add = (message: MessagePeek) => {
    if (isRequest(message)) requests.push({ id: message.id ?? 'null', method: message.method ?? '' });
  };
  const message = peekMessage(line);
  if (message.batch) forEachInBatch(line, (_, item) => add(item));
  else add(message);
  return requests;
}

/** Visits the messages of a batch (MCP 2025-03-26). Skips batches inside it, and visits none if it is not JSON. */
function forEachInBatch(batch: Buffer, visit: (item: Buffer, message: MessagePeek) => void): void {
  if (readEnvelope(batch).kind !== 'batch') return;
  for (const item of batchItems(batch) ?? []) {
    const message = peekMessage(item);
    if (!message.batch) visit(item, message);
  }
}
