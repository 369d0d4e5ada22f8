import type { ErrorCode } from '../../shared/errors.ts';
import type { ErrorInfo } from '../../shared/reply.ts';

/** What may be missing if discovery failed. */
export type Need = 'certificates' | 'way' | 'issuers' | 'reach' | 'broken' | 'address';

const byCode: Readonly<Partial<Record<ErrorCode, Need>>> = {
  E_TLS: 'certificates',
  E_METADATA_MISSING: 'way',
  E_METADATA_INVALID: 'broken',
  E_DNS: 'reach',
  E_CONNECT: 'reach',
  E_TIMEOUT: 'reach',
  E_CONNECTION_LOST: 'reach',
  E_HTTP_STATUS: 'reach',
};

/** Undefined: only another address helps, or nobody should sign in there. */
export function needOf({ code, field, issuers, addresses }: ErrorInfo): Need | undefined {
  if (field === 'settings.caFile' || field === 'settings.clientCertificateFile') return 'certificates';
  if (addresses && addresses.length > 0) return 'address';
  if (code === 'E_ISSUER_MISMATCH') return issuers && 'issuers';
  return byCode[code];
}
