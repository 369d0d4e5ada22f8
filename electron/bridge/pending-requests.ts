import { batchItems, readEnvelope, sameId } from '../../shared/json-rpc.ts';
import { peekMessage, isRequest, type MessagePeek } from './message-peek.ts';

/** A request of the host. `id` as it stood in the message. */
export interface Asked {
  readonly id: string;
  readonly method: string;
}

/** What is open between the host and one broker, and what a new broker has to be told. */
export interface PendingRequests {
  /**
   * A line of the host that is about to be sent. False: it answers a broker that has gone, and must not reach the next
   * one.
   */
  sent(line: Buffer): boolean;
  /** A line of the broker that is about to be passed on. Returns its id when it is an answer. */
  received(line: Buffer): string | undefined;
  /** Requests of the host that were sent and not answered. */
  readonly unanswered: ReadonlyMap<string, string>;
  /** True when the host has got a good answer to its `initialize`. */
  readonly isOpen: boolean;
  /** The broker has gone: what will never be answered, either way, and the `initialize` that must be sent again. */
  lost(): {
    readonly unanswered: readonly Asked[];
    readonly asked: readonly string[];
    readonly again: Buffer | undefined;
  };
  /**
   * The host's `initialize` under another id (as it stands in a message), and its `notifications/initialized`, for a
   * new broker.
   */
  replay(id: string): { readonly hello: Buffer; readonly ready: Buffer | undefined } | undefined;
}

export function createPendingRequests(): PendingRequests {
  const unanswered = new Map<string, string>();
  /** Requests of the server that the host has not answered yet. */
  const asked = new Set<string>();
  /** The same of brokers that have gone. */
  const stale = new Set<string>();
  let hello: { readonly line: Buffer; readonly id: string; answered: boolean } | undefined;
  let ready: Buffer | undefined;

  const noteHost = (line: Buffer, seen: MessagePeek): boolean => {
    const { id, method, outcome } = seen;
    if (seen.batch) return requestsOf(line, (item, one) => void noteHost(item, one));
    if (method === undefined) {
      if (outcome === undefined || id === undefined || asked.delete(id)) return true;
      return !stale.delete(id);
    }
    if (id !== undefined && id !== 'null') {
      unanswered.set(id, method);
      if (method === 'initialize') {
        hello = { line: Buffer.from(line), id, answered: false };
        ready = undefined;
      }
    } else if (method === 'notifications/initialized') ready = Buffer.from(line);
    else if (method === 'notifications/cancelled') unanswered.delete(readEnvelope(line).cancels ?? '');
    return true;
  };

  const answered = (id: string, outcome: MessagePeek['outcome']) => {
    if (hello && hello.id === id && !hello.answered) {
      if (outcome === 'error') hello = undefined;
      else hello.answered = true;
    }
    if (unanswered.delete(id)) return;
    // The id may have been written anew on its way (1e3, 1000).
    for (const one of unanswered.keys()) if (sameId(one, id)) unanswered.delete(one);
  };

  const noteBroker = (line: Buffer, seen: MessagePeek): string | undefined => {
    const { id, method, outcome } = seen;
    if (seen.batch) requestsOf(line, (item, one) => void noteBroker(item, one));
    if (id === undefined || id === 'null') {
      if (method === 'notifications/cancelled') asked.delete(readEnvelope(line).cancels ?? '');
      return undefined;
    }
    if (method !== undefined) {
      asked.add(id);
      stale.delete(id);
      return undefined;
    }
    if (outcome === undefined) return undefined;
    answered(id, outcome);
    return id;
  };

  return {
    sent: (line) => noteHost(line, peekMessage(line)),
    received: (line) => noteBroker(line, peekMessage(line)),
    unanswered,
    get isOpen() {
      return hello?.answered ?? false;
    },
    lost() {
      const again = hello && !hello.answered && unanswered.delete(hello.id) ? hello.line : undefined;
      const open = { unanswered: [...unanswered].map(([id, method]) => ({ id, method })), asked: [...asked], again };
      for (const id of asked) stale.add(id);
      asked.clear();
      unanswered.clear();
      if (again) hello = undefined;
      return open;
    },
    replay(id) {
      const at = hello?.answered ? readEnvelope(hello.line).idAt : undefined;
      if (!hello || !at) return undefined;
      return {
        hello: Buffer.concat([hello.line.subarray(0, at[0]), Buffer.from(id), hello.line.subarray(at[1])]),
        ready,
      };
    },
  };
}

/** The requests in a line of the host: one, or those of a batch. */
export function requestsIn(line: Buffer): Asked[] {
  const found: Asked[] = [];
  const seen = peekMessage(line);
  const note = (_: Buffer, one: MessagePeek) => {
    if (isRequest(one)) found.push({ id: one.id ?? 'null', method: one.method ?? '' });
  };
  if (seen.batch) requestsOf(line, note);
  else note(line, seen);
  return found;
}

/**
 * Looks at each message of a batch (MCP 2025-03-26). Nothing in a batch that is not JSON; a batch in a batch is no
 * message.
 */
function requestsOf(batch: Buffer, look: (item: Buffer, seen: MessagePeek) => void): true {
  if (readEnvelope(batch).kind !== 'batch') return true;
  for (const item of batchItems(batch) ?? []) {
    const seen = peekMessage(item);
    if (!seen.batch) look(item, seen);
  }
  return true;
}
