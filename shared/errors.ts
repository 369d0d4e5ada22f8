// The bridge loads this file: no packages, and no texts.

/**
 * The code of every error that can leave the core. A code is stable: users search for it, scripts test for it,
 * `docs/errors/<code>.md` explains it, and a remedy says what to do about it (shared/messages/en/remedies.ts).
 * Adding one means adding its page and its remedy.
 */
export const errorCodes = [
  // Input and general
  'E_BAD_INPUT',
  'E_UNKNOWN_COMMAND',
  'E_UNEXPECTED',
  'E_CANCELLED',
  // The user's list of servers
  'E_SERVER_UNKNOWN',
  'E_SERVER_EXISTS',
  'E_ACCOUNT_UNKNOWN',
  'E_ACCOUNT_EXISTS',
  'E_ACCOUNT_OTHER',
  'E_SERVER_URL',
  'E_CONFIG_DAMAGED',
  'E_CONFIG_ENTRY',
  'E_CONFIG_CHANGED',
  'E_CONFIG_NEWER',
  'E_CONFIG_WRITE',
  'E_CONFIG_UNSAFE',
  // Network
  'E_DNS',
  'E_CONNECT',
  'E_TLS',
  'E_TIMEOUT',
  'E_CONNECTION_LOST',
  'E_TOO_LARGE',
  'E_REDIRECTED',
  'E_ADDRESS_REFUSED',
  'E_INSECURE_URL',
  'E_HTTP_STATUS',
  'E_NOT_JSON',
  // Discovery
  'E_RESOURCE_MISMATCH',
  'E_ISSUER_MISMATCH',
  'E_METADATA_INVALID',
  'E_NO_SIGN_IN',
  'E_METADATA_MISSING',
  'E_ENDPOINT_REFUSED',
  'E_HOSTS_UNCONFIRMED',
  'E_PKCE_UNSUPPORTED',
  // Client registration
  'E_CLIENT_ID_NEEDED',
  'E_REGISTRATION_REFUSED',
  'E_REGISTRATION_INVALID',
  // Sign-in
  'E_SIGN_IN_DENIED',
  'E_SIGN_IN_TIMEOUT',
  'E_AUTHORIZATION_ERROR',
  'E_ISS_MISMATCH',
  'E_PORT_IN_USE',
  'E_BROWSER',
  'E_ID_TOKEN',
  'E_REDIRECT_URL',
  // Tokens
  'E_TOKEN_RESPONSE',
  'E_TOKEN_REFUSED',
  'E_CLIENT_REFUSED',
  'E_TOKEN_AUDIENCE',
  'E_SIGN_IN_NEEDED',
  'E_SIGN_IN_AGAIN',
  'E_SECRET_AGAIN',
  'E_SCOPE_NEEDED',
  'E_REFRESH_FAILED',
  // Where secrets are kept
  'E_STORE_LOCKED',
  'E_STORE_DENIED',
  'E_STORE_UNAVAILABLE',
  'E_STORE_WRITE',
  'E_STORE_DAMAGED',
  // Broker and bridge
  'E_BROKER_RUNNING',
  'E_BROKER_DOWN',
  'E_HANDSHAKE',
  'E_VERSION',
  'E_SOCKET_UNSAFE',
  'E_DATA_FOLDER_LOST',
  'E_PATH_TOO_LONG',
  // Relay
  'E_SERVER_UNREACHABLE',
  'E_SERVER_REFUSED',
  'E_SERVER_ANSWER',
  'E_OUTCOME_UNKNOWN',
  'E_RATE_LIMITED',
  'E_MESSAGE_TOO_LARGE',
  'E_BAD_MESSAGE',
  'E_PROTOCOL_ERA',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

const codes: ReadonlySet<string> = new Set(errorCodes);

export const isErrorCode = (code: string): code is ErrorCode => codes.has(code);

/** The page that explains a code, relative to the repository. */
export const errorPage = (code: ErrorCode): string => `docs/errors/${code}.md`;
