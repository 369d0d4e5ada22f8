import { createHash } from 'node:crypto';
import { firstAccount, type Server } from '../../servers/server.ts';

/** A company's identity provider, and our client there. Servers that name the same two share one sign-in. */
export interface Company {
  /** The id of its sign-in in the vault. */
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Whether it is not shared with other servers. The user then chooses the account at the provider. */
  readonly separate: boolean;
}

const prefix = 'enterprise:';

/** Whether a credential of the vault is a company's sign-in. */
export const isCompanyId = (credentialId: string): boolean => credentialId.startsWith(prefix);

/**
 * The company whose sign-in this account uses. Undefined if it uses none, or if its ID token was entered by hand. The
 * first accounts of all servers share a sign-in; each further account is another person, with a sign-in of its own.
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
