import { AppError, sanitizeExternalText } from '../base/errors.ts';

/** Codes of OpenSSL and BoringSSL for a certificate that is not trusted; the rest of TLS is told by prefix. */
const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|EPROTO|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|CRL_)/;

/** The other side says no to our certificate, or misses it. */
const alertCodes = /^ERR_SSL_\w*ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)$/;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
};

/** A host name that could not be resolved. */
export function dnsFault(host: string, cause: unknown): AppError {
  return new AppError('E_DNS', `The address of ${sanitizeExternalText(host)} could not be found.`, {
    sent: false,
    cause,
  });
}

/** Why no connection came to be: nothing was sent. */
export function connectFault(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  if (alertCodes.test(code)) return certificateRefused(code, host, error);
  if (certificateCodes.test(code)) {
    const what = notTls.has(code)
      ? 'does not speak TLS'
      : code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
        ? incompleteChain
        : 'could not prove who it is';
    return new AppError('E_TLS', `${sanitizeExternalText(host)} ${what} (${code}).`, { sent: false, cause: error });
  }
  const why = code === 'UND_ERR_CONNECT_TIMEOUT' ? 'does not answer' : (reasons[code] ?? (code || 'connection failed'));
  return new AppError('E_CONNECT', `${sanitizeExternalText(host)} could not be reached: ${why}.`, {
    sent: false,
    cause: error,
  });
}

const notTls: ReadonlySet<string> = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER']);

/**
 * Browsers fetch a missing certificate by themselves or know it from elsewhere, so the server's operator may not
 * notice.
 */
const incompleteChain =
  'sent its certificate without the one that signed it, so it could not prove who it is: the certificate chain is incomplete, or its authority is not known here';

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it broke the connection off',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no network',
  ETIMEDOUT: 'does not answer',
};

function certificateRefused(code: string, host: string, cause: unknown): AppError {
  return new AppError(
    'E_TLS',
    `${sanitizeExternalText(host)} wants a client certificate, or does not accept the one it was shown (${code}).`,
    { sent: false, cause },
  );
}

/** What broke an exchange that a connection was there for. `sent`: whether the request was on its way. */
export function exchangeFault(error: unknown, host: string, sent: boolean): AppError {
  if (error instanceof AppError) return error;
  const name = sanitizeExternalText(host);
  // TLS 1.3 tells a client that its certificate does not do only when the client begins to speak.
  if (alertCodes.test(codeOf(error))) return certificateRefused(codeOf(error), host, error);
  const detail = { sent, cause: error };
  switch (codeOf(error)) {
    // undici's own words never hold the value, and ours do not even hold the name: it may come from outside.
    case 'UND_ERR_INVALID_ARG':
      return new AppError('E_BAD_INPUT', `A header for ${name} has characters that HTTP cannot carry.`, {
        sent: false,
        cause: error,
      });
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('E_TOO_LARGE', `${name} answered with headers of more than 64 KB.`, detail);
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return new AppError('E_CANCELLED', 'Keybridge is closing.', detail);
    default:
      return new AppError(
        'E_CONNECTION_LOST',
        `The connection to ${name} broke before its answer was complete.`,
        detail,
      );
  }
}

export function timedOut(host: string, ms: number, sent: boolean): AppError {
  return new AppError(
    'E_TIMEOUT',
    `${sanitizeExternalText(host)} did not answer within ${Math.max(1, Math.round(ms / 1000))} s.`,
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
  return new AppError('E_TOO_LARGE', `${sanitizeExternalText(host)} answered with more than ${limit}.`);
}

export function tooManyPieces(host: string): AppError {
  return new AppError(
    'E_TOO_LARGE',
    `${sanitizeExternalText(host)} answered in hundreds of thousands of pieces of a few bytes.`,
  );
}

export function cancelled(sent: boolean): AppError {
  return new AppError('E_CANCELLED', 'It was cancelled.', { sent });
}
