import { createHash } from 'node:crypto';
import { firstAccount, type Server } from '../../servers/server.ts';

/**
 * Where a company signs its people in, and as which client Keybridge does that: one sign-in for all servers that name
 * both.
 */
export interface Company {
  /** The id of its sign-in in the vault. */
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  /** True: other servers' sign-ins must not be taken for it, so the person says who they are. */
  readonly separate: boolean;
}

const prefix = 'enterprise:';

/** Whether a credential of the vault is a company's sign-in. */
export const isCompanyId = (credentialId: string): boolean => credentialId.startsWith(prefix);

/**
 * The company whose sign-in this account uses; undefined: none, or its ID token was entered by hand. The first accounts
 * of all servers share one; each further account is somebody else, and has its own.
 */
export function companyOf({ id, account, settings, storedSecrets }: Server): Company | undefined {
  const { grant, enterprise } = settings;
  if (grant !== 'enterprise_managed' || !enterprise || storedSecrets.includes('enterpriseIdToken')) return undefined;
  const { issuer, clientId } = enterprise;
  const separate = account.id !== firstAccount;
  const hash = createHash('sha256')
    .update(JSON.stringify([issuer, clientId, ...(separate ? [id] : [])]))
    .digest('hex');
  return { id: `${prefix}${hash.slice(0, 32)}`, issuer, clientId, separate };
}
