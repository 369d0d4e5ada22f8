/** What the window shows. `server` is a server's id. */
export type Screen =
  | { readonly at: 'servers' }
  | { readonly at: 'add_server' }
  | { readonly at: 'server'; readonly server: string }
  | { readonly at: 'connect_app'; readonly server: string };
