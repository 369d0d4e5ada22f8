/** What serves one connection. */
export interface Service {
  /** Ends it. Resolves when the session at the MCP server is closed too, or after a short limit. */
  close(): Promise<void>;
}
