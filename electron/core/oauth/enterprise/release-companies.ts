import { createSemaphore } from '../../base/semaphore.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { companyOf, isCompanyId } from './company.ts';

/** What happened to a company's sign-in that no server uses any more. */
export type CompanyEnding = 'confirmed' | 'not_offered' | 'failed';

export interface ReleaseDeps {
  readonly servers: Pick<Servers, 'list' | 'setAside'>;
  readonly vault: Pick<Vault, 'facts' | 'ids'>;
  readonly tokens: Pick<AccessTokens, 'signOut'>;
  /** Whether a sign-in to this server is running. */
  readonly signingIn: (accountKey: string) => boolean;
  /** Whether a sign-in at this company is running. */
  readonly isRunning: (companyId: string) => boolean;
}

/** Returns a function that revokes and deletes the sign-ins that no server uses; see `Companies.release`. */
export function createRelease(deps: ReleaseDeps): () => Promise<CompanyEnding | undefined> {
  const oneAtATime = createSemaphore(1);
  return () => oneAtATime.run(() => releaseUnused(deps));
}

async function releaseUnused({
  servers,
  vault,
  tokens,
  signingIn,
  isRunning,
}: ReleaseDeps): Promise<CompanyEnding | undefined> {
  // A server that is set aside may come back, and it is not known which company it uses.
  if (servers.setAside.length > 0) return undefined;
  const used = new Set(
    servers
      .list()
      .filter(({ id }) => vault.facts(id) !== undefined || signingIn(id))
      .flatMap((server) => companyOf(server)?.id ?? []),
  );
  const endings: (CompanyEnding | undefined)[] = [];
  for (const id of vault.ids().filter(isCompanyId)) {
    if (used.has(id) || isRunning(id)) continue;
    const { revoked, deleted } = await tokens.signOut(id);
    endings.push(
      !deleted ? 'failed' : revoked === 'nothing_to_revoke' || revoked === 'key_stays' ? undefined : revoked,
    );
  }
  return (['failed', 'not_offered', 'confirmed'] as const).find((one) => endings.includes(one));
}
