import { z } from 'zod';

/**
 * What a secret was entered or given for. It lies beside the secret in the same item of the store, where no file and no
 * setting can change it. A member that is absent was not known then, and is learned at the first use.
 */
export const Binding = z.object({
  /** Origin of the MCP server. */
  server: z.string().optional(),
  issuer: z.string().optional(),
  /** Origin of the endpoint that it is sent to. */
  endpoint: z.string().optional(),
});
export type Binding = Readonly<z.infer<typeof Binding>>;

/** `was`, `now`: the first member that differs. */
export type BoundElsewhere = { readonly kind: 'elsewhere'; readonly was: string; readonly now: string };

export type Comparison =
  | { readonly kind: 'same' }
  /** Nothing differs, and something new is known. */
  | { readonly kind: 'more'; readonly binding: Binding }
  | BoundElsewhere;

/** Whether a secret may be used for `now`; what `now` does not say is not compared. */
export function compareBinding(was: Binding, now: Binding): Comparison {
  const learned: { -readonly [Member in keyof Binding]: Binding[Member] } = { ...was };
  for (const member of ['server', 'issuer', 'endpoint'] as const) {
    const [before, after] = [was[member], now[member]];
    if (after === undefined) continue;
    if (before !== undefined && before !== after) return { kind: 'elsewhere', was: before, now: after };
    learned[member] = after;
  }
  return JSON.stringify(learned) === JSON.stringify(was) ? { kind: 'same' } : { kind: 'more', binding: learned };
}

/** The origin of an address; an address that is none stands for itself, and so equals nothing else. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : url);
