/** From the most to the least severe. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What is written when nothing else is asked for. */
export const defaultLogLevel: LogLevel = 'info';

export const isLogLevel = (text: string): text is LogLevel => logLevels.some((level) => level === text);

/**
 * Every event of the diagnostic log with its level. `error`: Keybridge itself failed, or something stored is damaged or
 * lost. `warn`: something did not work, or was refused. `info`: what a reader needs to follow sign-ins, tokens and
 * connections. `debug`: each step.
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
} as const satisfies Record<string, LogLevel>;

export type LogEvent = keyof typeof logEvents;
