/** The connection to the host. */
export interface HostLink {
  /** Sends one line; the newline is added. */
  send(line: Uint8Array | string): void;
  /** Resolves when the host accepts more data; undefined if it does now. */
  drained(): Promise<void> | undefined;
  /** Called with the number of bytes of the host's messages that are still on their way to the server. */
  onLoad(bytes: number): void;
  /** Called when the last running call has ended. */
  onIdle(): void;
}
