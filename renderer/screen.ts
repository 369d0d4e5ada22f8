/** What the window shows. `server` is a server's id. */
export type Screen =
  | { readonly at: 'servers' }
  | { readonly at: 'add_server' }
  | { readonly at: 'server'; readonly server: string }
  | { readonly at: 'connect_app'; readonly server: string };

/** The server that an address's `#server=<id>` asks for. */
export function serverInAddress(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('server') ?? undefined;
}
