import type { ErrorInfo } from '../shared/reply.ts';
import { doNotSignInCodes } from '../shared/server-state.ts';
import { needOf } from './add-server/need.ts';
import { errorPage } from './error-pages.ts';
import { t } from './text.ts';

/** Where an error is shown: while a server is added, or anywhere else. */
export type ErrorPlace = 'add';

/** What to do about an error; undefined if a button or the panel below says it. */
export function remedyHere(error: ErrorInfo, place?: ErrorPlace): string | undefined {
  if (saidByButton.has(error.code)) return undefined;
  if (place !== 'add') return error.remedy;
  if (needOf(error) !== undefined) return undefined;
  return doNotSignInCodes.has(error.code) ? t('add.doNotAdd') : error.remedy;
}

/** What happened: the sentence of the error's page, or the message if only that names the value or file. */
export function plainMessage({ code, message }: ErrorInfo): string {
  return plainMessages.has(code) ? message : errorPage(code).plain || message;
}

/** Codes whose message is written for people and names details that the page of the code cannot know. */
const plainMessages: ReadonlySet<string> = new Set([
  'E_BAD_INPUT',
  'E_SERVER_URL',
  'E_INSECURE_URL',
  'E_SERVER_EXISTS',
  'E_SERVER_UNKNOWN',
  'E_ACCOUNT_EXISTS',
  'E_ACCOUNT_UNKNOWN',
  'E_ACCOUNT_OTHER',
  'E_CONFIG_DAMAGED',
  'E_CONFIG_NEWER',
  'E_CONFIG_UNSAFE',
  'E_CONFIG_WRITE',
  'E_PORT_IN_USE',
  'E_PATH_TOO_LONG',
  'E_SOCKET_UNSAFE',
  'E_DNS',
  'E_CONNECT',
  'E_HTTP_STATUS',
  'E_NOT_JSON',
  'E_RATE_LIMITED',
  'E_RESOURCE_MISMATCH',
  'E_METADATA_MISSING',
  'E_AUTHORIZATION_ERROR',
  'E_REGISTRATION_REFUSED',
  'E_SERVER_REFUSED',
  'E_TOKEN_REFUSED',
  'E_TOKEN_AUDIENCE',
  'E_NO_SIGN_IN',
  'E_REDIRECT_URL',
  'E_UNEXPECTED',
]);

/** An error as text, for an operator or a report. `now`: Unix ms. */
export function errorReport({ code, message, remedy }: ErrorInfo, about: string | undefined, now: number): string {
  return [
    `Keybridge, ${new Date(now).toISOString()}`,
    ...(about === undefined ? [] : [about]),
    `${code}: ${message}`,
    remedy,
  ].join('\n');
}

const saidByButton: ReadonlySet<string> = new Set(['E_SIGN_IN_NEEDED', 'E_SIGN_IN_AGAIN', 'E_SCOPE_NEEDED']);
