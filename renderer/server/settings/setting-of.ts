import type { ErrorCode } from '../../../shared/errors.ts';
import type { ErrorInfo } from '../../../shared/reply.ts';

/** Errors whose remedy is one setting of the server. */
const byCode: Readonly<Partial<Record<ErrorCode, string>>> = {
  E_CLIENT_ID_NEEDED: 'clientId',
  E_REGISTRATION_REFUSED: 'clientId',
  E_REGISTRATION_INVALID: 'clientId',
  E_PKCE_UNSUPPORTED: 'allowMissingPkce',
  E_ISSUER_MISMATCH: 'settings.issuerException',
  E_TOKEN_AUDIENCE: 'settings.audienceException',
  E_METADATA_MISSING: 'settings.grant',
  E_TLS: 'settings.caFile',
};

/** The field of the settings that an error is about; undefined where no setting helps. */
export function settingOf(error: ErrorInfo): string | undefined {
  if (error.field === 'settings.enterprise') return 'settings.enterprise.issuer';
  if (error.field !== undefined && /^(settings|secrets)\.|^client(Id|Secret)$/.test(error.field)) return error.field;
  return byCode[error.code];
}

/** Expands the groups around a field, scrolls to it and focuses it. */
export function revealField(field: string): void {
  const place = document.querySelector<HTMLElement>(`[data-field="${CSS.escape(field)}"]`);
  if (!place) return;
  for (let fold = place.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null)
    fold.open = true;
  place.scrollIntoView({ block: 'center' });
  place.querySelector<HTMLElement>('input, select, textarea, button')?.focus({ preventScroll: true });
}
