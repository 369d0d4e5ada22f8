import { z } from 'zod';
import { isErrorCode } from './errors.ts';

export { type ErrorCode } from './errors.ts';

export const ErrorInfo = z.object({
  code: z.string().transform((code) => (isErrorCode(code) ? code : 'E_UNEXPECTED')),
  /** What happened: the step and the cause, in one sentence. Plain text, never a secret, at most 500 characters. */
  message: z.string(),
  /** What to do about it. */
  remedy: z.string(),
  server: z.string().optional(),
  retryAfterMs: z.number().optional(),
  /**
   * The member of a command's input that it is about, so that a form can say it there: `settings.caFile`,
   * `secrets.privateKey`.
   */
  field: z.string().max(100).optional(),
  /** With E_ISSUER_MISMATCH: both names exactly, as the setting `issuerException` takes them. */
  issuers: z.object({ named: z.string(), found: z.string() }).optional(),
  /** With E_TOKEN_AUDIENCE: the audience exactly, as the setting `audienceException` takes it. */
  audience: z.string().optional(),
  /** What a person registers by hand where no app can register itself. */
  redirectUri: z.string().optional(),
  /** Where an MCP server answers, when none is at the address that was asked. */
  addresses: z.array(z.string().max(2_000)).max(5).optional(),
});
export type ErrorInfo = z.infer<typeof ErrorInfo>;

/** What every command answers, on every way in. */
export type Reply<Value = unknown> = { ok: true; value: Value } | { ok: false; error: ErrorInfo };
