import { z } from 'zod';

/**
 * The conversation with the keychain child: one request, one answer with the same id. Values travel as they are: this
 * channel is private to the two processes.
 */
export const KeychainRequest = z.discriminatedUnion('op', [
  z.strictObject({ id: z.number(), op: z.literal('get'), service: z.string().min(1), account: z.string().min(1) }),
  z.strictObject({
    id: z.number(),
    op: z.literal('set'),
    service: z.string().min(1),
    account: z.string().min(1),
    value: z.string(),
  }),
  z.strictObject({ id: z.number(), op: z.literal('delete'), service: z.string().min(1), account: z.string().min(1) }),
  z.strictObject({ id: z.number(), op: z.literal('probe'), service: z.string().min(1) }),
  /** The one request that may prompt the user. */
  z.strictObject({ id: z.number(), op: z.literal('unlock'), service: z.string().min(1) }),
]);
export type KeychainRequest = z.infer<typeof KeychainRequest>;

export const KeychainResult = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('found'), value: z.string() }),
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.enum(['locked', 'denied', 'unavailable']), detail: z.string() }),
  /** The service was restarted: this process cannot reach the new one, a new process can. */
  z.object({ kind: z.literal('stale') }),
]);
export type KeychainResult = z.infer<typeof KeychainResult>;

export const KeychainAnswer = z.object({ id: z.number(), result: KeychainResult });
export type KeychainAnswer = z.infer<typeof KeychainAnswer>;

/** A request without its id. */
export type KeychainRequestMessage = KeychainRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'id'>
    : never
  : never;
