import { z } from 'zod';

/**
 * What one authorization server wants differently at its token endpoint. Kept with the credential, so that each refresh
 * does what the sign-in did.
 */
export const TokenQuirks = z.object({
  /** True: no `resource` parameter (RFC 8707). Absent: the client's `resource`, as it is. */
  omitResource: z.boolean().optional(),
  /** Parameters that every token request carries besides the standard ones. */
  parameters: z.record(z.string(), z.string()).optional(),
  /**
   * True: a refresh names the scopes that were asked for at sign-in; others answer for another resource without them.
   */
  scopeOnRefresh: z.boolean().optional(),
  /** The member of the token answer in which the tokens lie, where it is not the answer itself. */
  tokensIn: z.string().optional(),
});
export type TokenQuirks = z.infer<typeof TokenQuirks>;

/**
 * What every token request of this client carries besides its grant: extra parameters, and `resource` unless it is left
 * out.
 */
export function tokenParameters({
  resource,
  quirks,
}: {
  readonly resource: string;
  readonly quirks?: TokenQuirks;
}): Record<string, string> {
  return { ...quirks?.parameters, ...(quirks?.omitResource ? {} : { resource }) };
}
