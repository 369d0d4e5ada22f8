/** What is being served on one connection. */
export interface Service {
  /** Ends it; resolves when the MCP server has been told too, or after a short limit. */
  close(): Promise<void>;
}
