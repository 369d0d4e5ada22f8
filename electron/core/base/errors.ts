import { plainText } from '../../../shared/foreign-text.ts';
import { remedyFor } from '../../../shared/remedies.ts';
import type { ErrorCode, ErrorInfo } from '../../../shared/reply.ts';

export interface ErrorDetail {
  /** The name of the server that the error is about. */
  server?: string;
  /** How long the server asked us to wait, in ms. */
  retryAfterMs?: number;
  /** Whether the request may have reached the server. False only if it certainly did not. Defaults to true. */
  sent?: boolean;
  /** The member of a command's input to correct, such as `settings.caFile`. */
  field?: string;
  /** The two names of an authorization server that differ, unchanged. */
  issuers?: { readonly named: string; readonly found: string };
  /** The audience of another site in an access token, unchanged. */
  audience?: string;
  /** The redirect URI to register by hand. */
  redirectUri?: string;
  /** Addresses at the same origin where an MCP server responds. */
  addresses?: readonly string[];
  /** For a debugger only: never logged, serialised or shown. */
  cause?: unknown;
}

/** The only error class of the core. Code depends on `code`, never on `message`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly server: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly sent: boolean;
  readonly field: string | undefined;
  readonly issuers: { readonly named: string; readonly found: string } | undefined;
  readonly audience: string | undefined;
  readonly redirectUri: string | undefined;
  readonly addresses: readonly string[] | undefined;

  /**
   * `message`: what failed and why, in plain text. Text from outside must go through `sanitizeExternalText()` first.
   */
  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message.length > 500 ? `${message.slice(0, 499)}…` : message, { cause: detail.cause });
    this.name = 'AppError';
    this.code = code;
    this.server = detail.server;
    this.retryAfterMs = detail.retryAfterMs;
    this.sent = detail.sent ?? true;
    this.field = detail.field;
    this.issuers = detail.issuers;
    this.audience = detail.audience;
    this.redirectUri = detail.redirectUri;
    this.addresses = detail.addresses;
  }

  /** Returns the same error with the name of the server that it is about. */
  about(server: string): AppError {
    return this.server === server ? this : this.with({ server });
  }

  /** Returns the same error with addresses where an MCP server responds. */
  withAddresses(addresses: readonly string[]): AppError {
    return this.with({ addresses });
  }

  private with(change: ErrorDetail): AppError {
    const detail: ErrorDetail = { sent: this.sent, cause: this.cause };
    if (this.server !== undefined) detail.server = this.server;
    if (this.retryAfterMs !== undefined) detail.retryAfterMs = this.retryAfterMs;
    if (this.field !== undefined) detail.field = this.field;
    if (this.issuers !== undefined) detail.issuers = this.issuers;
    if (this.audience !== undefined) detail.audience = this.audience;
    if (this.redirectUri !== undefined) detail.redirectUri = this.redirectUri;
    if (this.addresses !== undefined) detail.addresses = this.addresses;
    return new AppError(this.code, this.message, { ...detail, ...change });
  }

  /** Returns the form that is sent to window, command line and hosts. */
  toInfo(): ErrorInfo {
    const info: ErrorInfo = { code: this.code, message: this.message, remedy: remedyFor(this.code) };
    if (this.server !== undefined) info.server = this.server;
    if (this.retryAfterMs !== undefined) info.retryAfterMs = this.retryAfterMs;
    if (this.field !== undefined) info.field = this.field;
    if (this.issuers !== undefined) info.issuers = { ...this.issuers };
    if (this.audience !== undefined) info.audience = this.audience;
    if (this.redirectUri !== undefined) info.redirectUri = this.redirectUri;
    if (this.addresses !== undefined) info.addresses = [...this.addresses];
    return info;
  }
}

/** Returns any thrown value as an AppError. An unforeseen error loses its message, which may contain a secret. */
export function asAppError(error: unknown, server?: string): AppError {
  const known =
    error instanceof AppError
      ? error
      : new AppError('E_UNEXPECTED', 'Something failed inside Keybridge.', { cause: error });
  return server === undefined ? known : known.about(server);
}

/**
 * Returns where an unforeseen error was thrown, for the log: its class, code and first frames, but not its message,
 * which may contain a secret.
 */
export function whereThrown(error: unknown): { kind: string; code: string; at: string } {
  if (!(error instanceof Error)) return { kind: typeof error, code: '', at: '' };
  // A line of the message may look like a frame.
  const frames = (error.stack ?? '')
    .replace(error.message, '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  const at = frames
    .slice(0, 3)
    .map((line) => line.trim().replace(/\(?(?:file:\/\/)?[^()\s]*[/\\]([^/\\()]+)\)?$/, '($1)'));
  return { kind: error.name, code: (error as NodeJS.ErrnoException).code ?? '', at: at.join(' < ') };
}

/** Returns text from outside in a form that is safe to show (`plainText`), cut to `max` characters. */
export function sanitizeExternalText(text: unknown, max = 80): string {
  // Cut huge texts before they are cleaned.
  const plain = plainText(asText(text).slice(0, 4 * max + 1_000)).trim();
  return plain.length > max ? `${plain.slice(0, max - 1)}…` : plain;
}

/** String() throws for some parsed JSON: an object with a `toString` that is not a function, or very deep nesting. */
function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something that is not text';
  }
}
