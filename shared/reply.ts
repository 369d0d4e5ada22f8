import { z } from 'zod';
import { isErrorCode } from './errors.ts';

export { type ErrorCode } from './errors.ts';

export const ErrorInfo = z.object({
  code: z.string().transform((code) => (isErrorCode(code) ? code : 'E_UNEXPECTED')),
  /** What happened, in one sentence: the step and the cause. Plain text of at most 500 characters, without secrets. */
  message: z.string(),
  /** What to do about it. */
  remedy: z.string(),
  server: z.string().optional(),
  retryAfterMs: z.number().optional(),
  /** The input that the error is about, so that a form can show it there: `settings.caFile`, `secrets.privateKey`. */
  field: z.string().max(100).optional(),
  /** With E_ISSUER_MISMATCH: the value for the setting `issuerException`. */
  issuers: z.object({ named: z.string(), found: z.string() }).optional(),
  /** With E_TOKEN_AUDIENCE: the value for the setting `audienceException`. */
  audience: z.string().optional(),
  /** With E_CLIENT_ID_NEEDED: the redirect URI to register with the provider. */
  redirectUri: z.string().optional(),
  /** URLs at which an MCP server answers, if there is none at the requested one. */
  addresses: z.array(z.string().max(2_000)).max(5).optional(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

/** The result of every command, for every caller. */
export type Reply<Value = unknown> = { ok: true; value: Value } | { ok: false; error: ErrorInfo };
