import type { ErrorCode } from '../../../shared/errors.ts';
import type { Secret } from './secret.ts';

/** From the most to the least severe. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The level of a log that is not told another one. */
export const defaultLogLevel: LogLevel = 'info';

export const isLogLevel = (text: string): text is LogLevel => logLevels.some((level) => level === text);

/** Of an event whose name says it all. */
export type NoFields = Readonly<Record<string, never>>;

/** Where an unforeseen error was thrown; see `whereThrown` in errors.ts. */
interface Thrown {
  readonly kind: string;
  readonly code: string;
  readonly at: string;
}

type Code = { readonly code: ErrorCode };
type OfServer = { readonly server: string };
type OfCredential = { readonly credential: string };

/**
 * The fields of each event. Strings are names, ids, codes and methods: no free text, no body and no URL with a query.
 * A `Secret` is written as a fingerprint.
 */
export interface LogFields {
  // The process and its data folder.
  app_started: {
    readonly version: string;
    readonly electron: string | undefined;
    readonly runtime: string;
    readonly store: string;
    readonly hidden: boolean;
  };
  app_ended: NoFields;
  serve_started: { readonly version: string; readonly store: string; readonly auto_sign_in: boolean };
  serve_ends: { readonly reason: string };
  serve_ended: NoFields;
  broker_started: NoFields;
  broker_stopped: NoFields;
  fault: { readonly source: 'rejection' | 'exception' } & Thrown;
  unexpected: { readonly command: string } & Thrown;
  command: { readonly name: string };
  ipc_refused: NoFields;
  lines_dropped: { readonly count: number };
  lines_left_out: { readonly of: LogEvent; readonly server: string | undefined; readonly count: number };
  data_folder_lost: NoFields;
  key_written_again: NoFields;
  socket_made_again: NoFields;
  socket_missing: Code;
  caller_accepted: { readonly role: string; readonly pid: number | undefined; readonly server: string | undefined };
  caller_refused: NoFields;

  // The list of servers and the vault.
  account_not_named: Code;
  learned_scopes_not_kept: OfServer & Code;
  list_not_signed: Code;
  network_not_kept: OfServer & Code;
  open_not_kept: Code;
  server_accepted: OfServer;
  server_set_aside: OfServer & { readonly why: 'changed' | 'bad' };
  servers_backup_failed: { readonly code: string };
  servers_file_restored: { readonly from: 'backup' | 'nothing' };
  keychain_child_ended: NoFields;
  keychain_deadline: { readonly op: string };
  vault_index_damaged: { readonly kept: string };
  vault_index_not_saved: { readonly errno: string };
  vault_item_damaged: { readonly name: string };
  vault_item_rolled_back: { readonly name: string; readonly generation: number; readonly expected: number };

  // Sign-in and client registration.
  browser_failed: Code;
  company_not_released: Code;
  company_sign_in_failed: { readonly issuer: string } & Code;
  company_sign_in_started: { readonly issuer: string };
  company_signed_in: { readonly issuer: string };
  id_token: OfCredential & { readonly verdict: string; readonly why?: string };
  other_id_token: OfCredential;
  registration_asked: OfServer & { readonly method: string; readonly status: number; readonly usable: boolean };
  registration_deleted: { readonly issuer: string; readonly status: number };
  registration_not_deleted: OfServer & Code;
  registration_not_renewed: OfServer & { readonly code?: ErrorCode; readonly why?: string };
  registration_renewed: OfServer & { readonly issuer: string; readonly endsAt: number | undefined };
  scopes_not_found: OfServer & Code;
  sign_in_failed: OfServer & Code;
  sign_in_started: OfServer;
  sign_in_started_by_call: OfServer & { readonly status: 401 | 403 };
  sign_in_waits: OfServer;
  signed_in: OfServer;
  signed_out: OfCredential & { readonly revoked: string; readonly deleted: string };

  // Tokens.
  asked_again: OfCredential & { readonly grant: string | undefined; readonly outcome: string };
  credential_quarantined: OfCredential & { readonly generation: number; readonly token: Secret | undefined };
  new_token_refused: OfServer & { readonly token: Secret | undefined; readonly waitMs: number };
  refresh_failed: OfCredential & Code & { readonly nextTryMs: number };
  refresh_not_stored: OfCredential & { readonly kind: string };
  refresh_refused: OfCredential & Code & { readonly times: number };
  refresh_sent: OfCredential & { readonly generation: number; readonly token: Secret };
  refreshed: OfCredential & {
    readonly generation: number;
    readonly token: Secret | undefined;
    readonly rotated: boolean;
  };
  token_doubted: OfCredential;
  token_kept_back: OfCredential & Code;
  token_refused_by_server: OfServer & { readonly token: Secret | undefined };

  // Calls to MCP servers.
  call_failed: OfServer & Code & { readonly method: string };
  call_needs_access: OfServer & { readonly operation: string; readonly scopes: number; readonly held: boolean };
  initialize_answered_locally: OfServer & Code;
  initialized_unanswered: OfServer & { readonly waitedMs: number };
  message_not_passed: OfServer & Code & { readonly method: string };
  message_too_long: OfServer;
  secret_removed: OfServer & { readonly count: number | undefined };
  server_asked_to_wait: OfServer & { readonly status: number; readonly ms: number };
  server_messages_dropped: OfServer & { readonly count: number };
  server_request_dropped: OfServer;
  server_stream_lost: OfServer & Code;
  server_stream_not_offered: OfServer & { readonly status: number };
  session_lost: OfServer;
  session_opened: OfServer & { readonly version: string | undefined; readonly session: boolean };
  session_repeats_unanswered: OfServer & { readonly waitedMs: number };
  stream_events_skipped: OfServer & { readonly count: number };
  tool_dropped: OfServer & { readonly reason: string };
}

export type LogEvent = keyof LogFields;

/**
 * The level of each event. `error`: Keybridge itself failed, or stored data is damaged or lost. `warn`: something did
 * not work or was refused. `info`: what a reader needs to follow sign-ins, tokens and connections. `debug`: each step.
 */
export const logEvents = {
  // The process and its data folder.
  app_started: 'info',
  app_ended: 'info',
  serve_started: 'info',
  serve_ends: 'info',
  serve_ended: 'info',
  broker_started: 'info',
  broker_stopped: 'info',
  fault: 'error',
  unexpected: 'error',
  command: 'debug',
  ipc_refused: 'warn',
  lines_dropped: 'warn',
  lines_left_out: 'warn',
  data_folder_lost: 'error',
  key_written_again: 'warn',
  socket_made_again: 'warn',
  socket_missing: 'warn',
  caller_accepted: 'info',
  caller_refused: 'warn',

  // The list of servers and the vault.
  account_not_named: 'warn',
  learned_scopes_not_kept: 'warn',
  list_not_signed: 'warn',
  network_not_kept: 'warn',
  open_not_kept: 'warn',
  server_accepted: 'info',
  server_set_aside: 'warn',
  servers_backup_failed: 'warn',
  servers_file_restored: 'error',
  keychain_child_ended: 'warn',
  keychain_deadline: 'warn',
  vault_index_damaged: 'error',
  vault_index_not_saved: 'error',
  vault_item_damaged: 'error',
  vault_item_rolled_back: 'error',

  // Sign-in and client registration.
  browser_failed: 'warn',
  company_not_released: 'warn',
  company_sign_in_failed: 'warn',
  company_sign_in_started: 'info',
  company_signed_in: 'info',
  id_token: 'debug',
  other_id_token: 'warn',
  registration_asked: 'info',
  registration_deleted: 'info',
  registration_not_deleted: 'warn',
  registration_not_renewed: 'warn',
  registration_renewed: 'info',
  scopes_not_found: 'warn',
  sign_in_failed: 'warn',
  sign_in_started: 'info',
  sign_in_started_by_call: 'info',
  sign_in_waits: 'info',
  signed_in: 'info',
  signed_out: 'info',

  // Tokens.
  asked_again: 'info',
  credential_quarantined: 'warn',
  new_token_refused: 'warn',
  refresh_failed: 'warn',
  refresh_not_stored: 'error',
  refresh_refused: 'warn',
  refresh_sent: 'info',
  refreshed: 'info',
  token_doubted: 'info',
  token_kept_back: 'warn',
  token_refused_by_server: 'warn',

  // Calls to MCP servers.
  call_failed: 'warn',
  call_needs_access: 'info',
  initialize_answered_locally: 'info',
  initialized_unanswered: 'warn',
  message_not_passed: 'warn',
  message_too_long: 'warn',
  secret_removed: 'warn',
  server_asked_to_wait: 'info',
  server_messages_dropped: 'warn',
  server_request_dropped: 'warn',
  server_stream_lost: 'info',
  server_stream_not_offered: 'debug',
  session_lost: 'info',
  session_opened: 'info',
  session_repeats_unanswered: 'warn',
  stream_events_skipped: 'debug',
  tool_dropped: 'warn',
} as const satisfies Record<LogEvent, LogLevel>;
