import type { StoreFault } from './secret-store.ts';

/**
 * Messages of the system keychains, in lower case. macOS: SecCopyErrorMessageString of errSecAuthFailed (-25293),
 * userCanceledErr (-128), errSecInteractionNotAllowed (-25308); Windows: FormatMessage of ERROR_ACCESS_DENIED,
 * ERROR_NO_SUCH_LOGON_SESSION; Linux: libsecret. Messages may be translated or change. An unknown one counts as
 * `unavailable`, which is never mistaken for "signed out".
 */
const messages: readonly { readonly kind: StoreFault['kind']; readonly parts: readonly string[] }[] = [
  {
    kind: 'locked',
    parts: [
      'user interaction is not allowed',
      'interaction with the security server is not allowed',
      'locked collection',
      'keychain is locked',
    ],
  },
  {
    kind: 'denied',
    parts: [
      'user name or passphrase you entered is not correct',
      'user canceled the operation',
      'user cancelled the operation',
      'access is denied',
      'authorization was denied',
      'write permissions',
    ],
  },
];

/** Classifies an error of keytar. */
export function keychainFault(error: unknown): StoreFault {
  const detail = (error instanceof Error ? error.message : String(error)).replace(/[^\x20-\x7e]/g, ' ').slice(0, 160);
  const text = detail.toLowerCase();
  const kind = messages.find(({ parts }) => parts.some((part) => text.includes(part)))?.kind ?? 'unavailable';
  return { kind, detail };
}
