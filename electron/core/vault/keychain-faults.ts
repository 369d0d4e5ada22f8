import type { StoreFault } from './secret-store.ts';

/**
 * What the system's own words mean. macOS: SecCopyErrorMessageString of errSecAuthFailed (-25293), userCanceledErr
 * (-128), errSecInteractionNotAllowed (-25308); Windows: FormatMessage of ERROR_ACCESS_DENIED,
 * ERROR_NO_SUCH_LOGON_SESSION; Linux: libsecret. Texts may be translated or new: what is not known is `unavailable`,
 * which nobody takes for "signed out".
 */
const known: readonly { readonly pattern: RegExp; readonly kind: StoreFault['kind'] }[] = [
  {
    pattern:
      /user interaction is not allowed|interaction with the security server is not allowed|locked collection|keychain is locked/i,
    kind: 'locked',
  },
  {
    pattern:
      /user name or passphrase you entered is not correct|user cancell?ed the operation|access is denied|authorization was denied|write permissions/i,
    kind: 'denied',
  },
];

/** A fault of keytar as the answer that callers can tell apart. */
export function keychainFault(error: unknown): StoreFault {
  const words = (error instanceof Error ? error.message : String(error)).replace(/[^\x20-\x7e]/g, ' ').slice(0, 160);
  const kind = known.find(({ pattern }) => pattern.test(words))?.kind ?? 'unavailable';
  return { kind, detail: words };
}
