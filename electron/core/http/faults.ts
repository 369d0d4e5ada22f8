import { AppError, sanitizeExternalText } from '../base/errors.ts';

/** Prefixes of the codes that OpenSSL and BoringSSL give to an untrusted certificate and to other TLS errors. */
const tlsPrefixes = [
  'CERT_',
  'CRL_',
  'DEPTH_ZERO_',
  'EPROTO',
  'ERR_SSL_',
  'ERR_TLS_',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_',
  'UNABLE_TO_',
];
const isTlsCode = (code: string): boolean => tlsPrefixes.some((prefix) => code.startsWith(prefix));

/** TLS alerts by which the server rejects our certificate, or asks for one. */
const alertCodes = /^ERR_SSL_\w*ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
};

/** E_DNS: the host name could not be resolved. */
export function dnsFault(host: string, cause: unknown): AppError {
  return new AppError('E_DNS', `The address of ${sanitizeExternalText(host)} could not be found.`, {
    sent: false,
    cause,
  });
}

/** E_CONNECT or E_TLS: the connection failed, and nothing was sent. Returns an AppError unchanged. */
export function connectFault(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  if (alertCodes.test(code)) return certificateRefused(code, host, error);
  if (isTlsCode(code)) {
    const what = notTls.has(code)
      ? 'does not use TLS'
      : code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
        ? incompleteChain
        : 'could not prove its identity';
    return new AppError('E_TLS', `${sanitizeExternalText(host)} ${what} (${code}).`, { sent: false, cause: error });
  }
  const why = reasons[code] ?? (code || 'the connection failed');
  return new AppError('E_CONNECT', `${sanitizeExternalText(host)} could not be reached: ${why}.`, {
    sent: false,
    cause: error,
  });
}

const notTls: ReadonlySet<string> = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER']);

/** Browsers fetch or cache missing intermediate certificates, so the server's operator may not notice. */
const incompleteChain =
  'could not prove its identity: the certificate chain is incomplete, or its certificate authority is not trusted here';

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
  ETIMEDOUT: 'it does not respond',
  UND_ERR_CONNECT_TIMEOUT: 'it does not respond',
};

function certificateRefused(code: string, host: string, cause: unknown): AppError {
  return new AppError(
    'E_TLS',
    `${sanitizeExternalText(host)} requires a client certificate, or does not accept the one it received (${code}).`,
    { sent: false, cause },
  );
}

/**
 * The error of a request that failed on an open connection. `sent`: whether the request may have reached the server.
 */
export function exchangeFault(error: unknown, host: string, sent: boolean): AppError {
  if (error instanceof AppError) return error;
  const name = sanitizeExternalText(host);
  // In TLS 1.3 the client's certificate is rejected only after the handshake, when the client starts to send.
  if (alertCodes.test(codeOf(error))) return certificateRefused(codeOf(error), host, error);
  const detail = { sent, cause: error };
  switch (codeOf(error)) {
    // undici's message never contains the value. This one omits the header's name too: it may come from outside.
    case 'UND_ERR_INVALID_ARG':
      return new AppError('E_BAD_INPUT', `A header for ${name} contains characters that HTTP does not allow.`, {
        sent: false,
        cause: error,
      });
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('E_TOO_LARGE', `${name} sent more than 64 KB of headers.`, detail);
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return new AppError('E_CANCELLED', 'Keybridge is closing.', detail);
    default:
      return new AppError(
        'E_CONNECTION_LOST',
        `The connection to ${name} broke before the response was complete.`,
        detail,
      );
  }
}

export function timedOut(host: string, ms: number, sent: boolean): AppError {
  return new AppError(
    'E_TIMEOUT',
    `${sanitizeExternalText(host)} did not respond within ${Math.max(1, Math.round(ms / 1000))} s.`,
    { sent },
  );
}

export function tooLarge(host: string, maxBytes: number): AppError {
  const limit =
    maxBytes >= 1_048_576
      ? `${Math.floor(maxBytes / 1_048_576)} MB`
      : maxBytes >= 1024
        ? `${Math.floor(maxBytes / 1024)} KB`
        : `${maxBytes} bytes`;
  return new AppError('E_TOO_LARGE', `${sanitizeExternalText(host)} sent a response of more than ${limit}.`);
}

export function tooManyPieces(host: string): AppError {
  return new AppError(
    'E_TOO_LARGE',
    `${sanitizeExternalText(host)} sent its response in hundreds of thousands of tiny pieces.`,
  );
}

export function cancelled(sent: boolean): AppError {
  return new AppError('E_CANCELLED', 'The request was cancelled.', { sent });
}
