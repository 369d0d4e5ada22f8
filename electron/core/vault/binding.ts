import { z } from 'zod';

/**
 * What a secret may be used for. Stored with the secret in the same item of the store, so that no file and no setting
 * can change it. A member that was not known when the secret was entered is absent, and added at the first use.
 */
export const Binding = z.object({
  /** Origin of the MCP server. */
  server: z.string().optional(),
  issuer: z.string().optional(),
  /** Origin of the endpoint that the secret is sent to. */
  endpoint: z.string().optional(),
});
export type Binding = Readonly<z.infer<typeof Binding>>;

/** The secret is bound to another place. `was`, `now`: the first member that differs. */
export type BoundElsewhere = { readonly kind: 'elsewhere'; readonly was: string; readonly now: string };

export type Comparison =
  | { readonly kind: 'same' }
  /** Nothing differs, and `binding` has a member that was not known before. */
  | { readonly kind: 'more'; readonly binding: Binding }
  | BoundElsewhere;

/** Compares a stored binding with a use. Members that are absent from `now` are not compared. */
export function compareBinding(was: Binding, now: Binding): Comparison {
  const merged: { -readonly [Member in keyof Binding]: Binding[Member] } = { ...was };
  for (const member of ['server', 'issuer', 'endpoint'] as const) {
    const [before, after] = [was[member], now[member]];
    if (after === undefined) continue;
    if (before !== undefined && before !== after) return { kind: 'elsewhere', was: before, now: after };
    merged[member] = after;
  }
  return JSON.stringify(merged) === JSON.stringify(was) ? { kind: 'same' } : { kind: 'more', binding: merged };
}

/** Returns the origin of a URL. An invalid URL is returned unchanged, and thus equals nothing else. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);
