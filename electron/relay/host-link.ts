/** The way back to the host. */
export interface HostLink {
  /** Sends one line; the newline is added. */
  send(line: Uint8Array | string): void;
  /** Resolves when the host takes more; undefined when it does now. */
  drained(): Promise<void> | undefined;
  /** Bytes of the host's messages that are still on their way to the server. */
  onLoad(bytes: number): void;
  /** The last call that was running has its answer. */
  onIdle(): void;
}
