import { readEnvelope } from '../../shared/json-rpc.ts';

/** What a new broker must get before the host's next message. */
export interface HandshakeReplay {
  /** The host's `initialize`, with another id. */
  readonly initialize: Buffer;
  /** The host's `notifications/initialized`, if it has sent one. */
  readonly initialized: Buffer | undefined;
}

/** The host's side of the MCP handshake, kept to repeat it to the next broker. */
export interface HostHandshake {
  /** Whether the host's `initialize` was answered with a result. */
  readonly isComplete: boolean;
  recordInitialize(line: Buffer, id: string): void;
  recordInitialized(line: Buffer): void;
  /** Records a response to the request with this id. */
  recordResponse(id: string, outcome: 'result' | 'error' | undefined): void;
  /** The `initialize` that has no response yet. */
  readonly unanswered: { readonly id: string; readonly line: Buffer } | undefined;
  forget(): void;
  /** `id`: for the repeated `initialize`, as JSON. Undefined if there was no successful `initialize`. */
  replay(id: string): HandshakeReplay | undefined;
}

export function createHostHandshake(): HostHandshake {
  let initialize: { readonly line: Buffer; readonly id: string; answered: boolean } | undefined;
  let initialized: Buffer | undefined;
  return {
    get isComplete() {
      return initialize?.answered ?? false;
    },
    recordInitialize(line, id) {
      initialize = { line: Buffer.from(line), id, answered: false };
      initialized = undefined;
    },
    recordInitialized(line) {
      initialized = Buffer.from(line);
    },
    recordResponse(id, outcome) {
      if (!initialize || initialize.id !== id || initialize.answered) return;
      if (outcome === 'error') initialize = undefined;
      else initialize.answered = true;
    },
    get unanswered() {
      return initialize?.answered === false ? initialize : undefined;
    },
    forget() {
      initialize = undefined;
    },
    replay(id) {
      const idAt = initialize?.answered ? readEnvelope(initialize.line).idAt : undefined;
      if (!initialize || !idAt) return undefined;
      const { line } = initialize;
      const [start, end] = idAt;
      return { initialize: Buffer.concat([line.subarray(0, start), Buffer.from(id), line.subarray(end)]), initialized };
    },
  };
}
