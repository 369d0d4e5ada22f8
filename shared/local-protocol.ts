/**
 * The handshake on the local socket, in lines of JSON. No packages: the bridge loads this file.
 *
 *   caller -> broker   Hello      { keybridge: 1, nonce }
 *   broker -> caller   Challenge  { keybridge: 1, nonce, proof }
 *   caller -> broker   Answer     { proof, role, ... }
 *   broker -> caller   Welcome    { ok: true } or { ok: false, error }
 *
 * `proof` is prove(key, 'broker' or 'caller', hello.nonce, challenge.nonce). The key is in a 0600 file in the data
 * folder. The caller says nothing about itself until the broker has proved that it knows the key, and vice versa.
 * After `{ ok: true }`, role `bridge` sends raw MCP messages in both directions, one per line; role `control` sends
 * ControlRequest and ControlAnswer.
 */
export const localProtocol = 1;

/** Time limit of the whole handshake, in ms, for both sides. */
export const helloTimeoutMs = 2_000;

/** Longest line of the handshake, in bytes. */
export const helloMaxBytes = 4_096;

export interface Hello {
  keybridge: number;
  nonce: string;
}

export interface Challenge {
  keybridge: number;
  nonce: string;
  proof: string;
}

export type Answer = { proof: string } & (
  | { role: 'bridge'; server: string; account?: string; pid: number }
  | { role: 'control'; pid: number }
);

export type Welcome = { ok: true } | { ok: false; error: { code: string; message: string; remedy: string } };

/**
 * `watch` turns the connection into a stream of Status snapshots, beginning with the current one. `end` asks a headless
 * broker to exit, so that the app can take over; the app ignores it.
 */
export type ControlRequest =
  | { id: number; name: string; input?: unknown }
  | { id: number; watch: 'status' }
  | { id: number; end: true };
export type ControlAnswer = { id: number; reply: unknown } | { id: number; status: unknown };

/** The JSON-RPC code of all of Keybridge's own errors, outside the ranges that JSON-RPC and MCP reserve. */
export const bridgeErrorCode = -31_000;
