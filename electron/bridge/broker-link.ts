import type net from 'node:net';
import type { LineError } from '../../shared/json-rpc.ts';
import { writeLines } from './line-gate.ts';
import type { MessageQueue } from './message-queue.ts';
import type { PendingRequests } from './pending-requests.ts';
import { replayHandshake } from './replay-handshake.ts';

type LinkState =
  /** No connection. The host's messages are kept. */
  | { readonly kind: 'keeping' }
  /** A new broker was sent the host's `initialize` again, as `id`. The host's messages are kept until it answers. */
  | { readonly kind: 'replaying'; readonly socket: net.Socket; readonly id: string; readonly finish: () => void }
  | { readonly kind: 'open'; readonly socket: net.Socket }
  /** No connection. The host's requests get the error. */
  | { readonly kind: 'refusing'; readonly error: LineError };

/** The way from the host to the broker. */
export interface BrokerLink {
  readonly state: LinkState;
  /** The current connection. */
  readonly socket: net.Socket | undefined;
  /** Opens the link and sends the kept messages. A new broker gets the host's handshake first. */
  connect(socket: net.Socket): void;
  /** To be called with the id of each response. Returns true if the bridge itself sent the request. */
  takeResponse(id: string): boolean;
  refuse(error: LineError): void;
  /** To be called when the connection has closed. */
  disconnect(): void;
}

/** How the ids of requests by the bridge itself begin, as JSON. */
const ownIdPrefix = '"keybridge-again-';

export function createBrokerLink(pending: PendingRequests, kept: MessageQueue, onOpen: () => void): BrokerLink {
  let state: LinkState = { kind: 'keeping' };
  let replays = 0;

  function open(socket: net.Socket): void {
    state = { kind: 'open', socket };
    const lines = kept.takeAll().filter((line) => pending.sent(line));
    if (lines.length > 0) writeLines(socket, lines);
    onOpen();
  }

  return {
    get state() {
      return state;
    },
    get socket() {
      return 'socket' in state ? state.socket : undefined;
    },
    connect(socket) {
      replays += 1;
      const id = `${ownIdPrefix}${replays}"`;
      const replay = pending.replay(id);
      if (!replay) return open(socket);
      const finish = replayHandshake(socket, replay, () => open(socket));
      state = { kind: 'replaying', socket, id, finish };
    },
    takeResponse(id) {
      if (!id.startsWith(ownIdPrefix)) return false;
      if (state.kind === 'replaying' && state.id === id) state.finish();
      return true;
    },
    refuse(error) {
      state = { kind: 'refusing', error };
    },
    disconnect() {
      state = { kind: 'keeping' };
    },
  };
}
