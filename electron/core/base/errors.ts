import { plainText } from '../../../shared/foreign-text.ts';
import { remedyFor } from '../../../shared/remedies.ts';
import type { ErrorCode, ErrorInfo } from '../../../shared/reply.ts';

export interface ErrorDetail {
  /** Name of the server it is about. */
  server?: string;
  /** What the other side asked us to wait. */
  retryAfterMs?: number;
  /**
   * Whether the request may have reached the other side. False only when it surely did not (refused, DNS, TLS).
   */
  sent?: boolean;
  /** The member of a command's input that is to be corrected: `settings.caFile`. */
  field?: string;
  /** The two names of an authorization server that differ, exactly as they came. */
  issuers?: { readonly named: string; readonly found: string };
  /** The audience of another site that an access token names, exactly as it came. */
  audience?: string;
  /** To be registered by hand. */
  redirectUri?: string;
  /** Where an MCP server answers instead, at the same origin. */
  addresses?: readonly string[];
  /** Kept for debugging in memory; never logged, serialised or shown. */
  cause?: unknown;
}

/** The only error class of the core. `code` decides; nobody tests `message`. */
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
   * `message`: the step and the cause in one sentence, plain text. Text from outside goes through
   * `sanitizeExternalText()` first.
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

  /** The same error, about this server. */
  about(server: string): AppError {
    return this.server === server ? this : this.with({ server });
  }

  /** The same error, and where an MCP server answers instead. */
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

  /** The form that crosses a boundary. */
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

/** Any thrown value as an AppError. What we did not foresee loses its words, which may hold a secret. */
export function asAppError(error: unknown, server?: string): AppError {
  const known =
    error instanceof AppError
      ? error
      : new AppError('E_UNEXPECTED', 'Something failed inside Keybridge.', { cause: error });
  return server === undefined ? known : known.about(server);
}

/**
 * Where an unforeseen error was thrown, for the log: its class, its code and its frames, never its words, which may
 * hold a secret.
 */
export function whereThrown(error: unknown): { kind: string; code: string; at: string } {
  if (!(error instanceof Error)) return { kind: typeof error, code: '', at: '' };
  // A line of its words may look like a frame.
  const frames = (error.stack ?? '')
    .replace(error.message, '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  const at = frames
    .slice(0, 3)
    .map((line) => line.trim().replace(/\(?(?:file:\/\/)?[^()\s]*[/\\]([^/\\()]+)\)?$/, '($1)'));
  return { kind: error.name, code: (error as NodeJS.ErrnoException).code ?? '', at: at.join(' < ') };
}

/** Words that came from outside, made fit for a message or a window (`plainText`), at most `max` characters. */
export function sanitizeExternalText(text: unknown, max = 80): string {
  // What is cut off anyway need not be cleaned.
  const plain = plainText(asText(text).slice(0, 4 * max + 1_000)).trim();
  return plain.length > max ? `${plain.slice(0, max - 1)}…` : plain;
}

/**
 * JSON can hold what no text can be made of: an object that is said to make its own, and lists that are nested without
 * end.
 */
function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something that is not text';
  }
}
