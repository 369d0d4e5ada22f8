/**
 * The conversation on the local socket, before anything else may be said. Lines of JSON, newline-terminated.
 * No packages: the bridge loads this file.
 *
 *   caller -> broker   Hello      { keybridge: 1, nonce }
 *   broker -> caller   Challenge  { keybridge: 1, nonce, proof }      proof = prove(key, 'broker', hello.nonce, challenge.nonce)
 *   caller -> broker   Answer     { proof, role, ... }                proof = prove(key, 'caller', hello.nonce, challenge.nonce)
 *   broker -> caller   Welcome    { ok: true } or { ok: false, error }
 *
 * The key lies in a 0600 file in the data folder. The caller says nothing about itself before the broker has proved
 * that it knows the key, and the broker tells nothing before the caller has.
 * After `{ ok: true }`: role 'bridge' is raw MCP messages, one per line, both ways; role 'control' is ControlRequest
 * and ControlAnswer.
 */
export const localProtocol = 1;

/** Time for the whole opening, both sides. */
export const helloTimeoutMs = 2_000;

/** Longest line before the welcome, in bytes. */
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
 * `watch` turns the connection into a stream of Status snapshots; the first is the current one. `end` asks a broker
 * without a window to make room for the app; the app itself does not obey it.
 */
export type ControlRequest =
  | { id: number; name: string; input?: unknown }
  | { id: number; watch: 'status' }
  | { id: number; end: true };
export type ControlAnswer = { id: number; reply: unknown } | { id: number; status: unknown };

/**
 * JSON-RPC code of every error that Keybridge itself gives a host; outside the ranges that JSON-RPC and MCP reserve.
 */
export const bridgeErrorCode = -31_000;
