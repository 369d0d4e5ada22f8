import type { SignOutReport } from '../../../../shared/model.ts';
import type { Secret } from '../../base/secret.ts';
import { isRenewable, type Credential } from '../../vault/credential.ts';
import { storeFault } from '../../vault/store-fault.ts';
import { signOutOf } from './revocation.ts';
import { supersede, type SourceCore } from './source-core.ts';
import { withLongLived } from './stored-credential.ts';

/** See `AccessTokens.adopt`. */
export async function adopt(
  core: SourceCore,
  credential: Credential,
  accessToken: Secret,
  expiresInMs: number | undefined,
): Promise<void> {
  const { vault, clock } = core.deps;
  await core.vaultLock.run(async () => {
    const written = await vault.write(withLongLived(credential, accessToken, expiresInMs, clock.now()));
    if (written.kind !== 'done') throw storeFault(written, 'The sign-in could not be stored');
    supersede(core, 'signed_in');
    // A fixed key is read from the entered secrets, together with the name of its header.
    if (credential.grant === 'static_header') return core.dispatch({ kind: 'signed_in', token: 'none' });
    const withheld = core.cache.set(accessToken, isRenewable(credential) ? expiresInMs : undefined);
    core.dispatch({ kind: 'signed_in', token: 'usable', withheld });
    core.newToken.issued();
  });
  core.changed();
  if (core.state.withheld) throw core.state.withheld;
}

/** See `AccessTokens.signOut`. */
export async function signOut(core: SourceCore): Promise<SignOutReport> {
  const { deps, id } = core;
  const token = forgetSignIn(core);
  core.changed();
  // A sign-in that was being stored at that moment has finished when the lock is free; it ends as well.
  const report = await core.vaultLock.run(() => signOutOf(deps, id, forgetSignIn(core) ?? token));
  core.changed();
  return report;
}

/** Returns the access token that was in memory. */
function forgetSignIn(core: SourceCore): Secret | undefined {
  const token = core.cache.current?.token;
  supersede(core, 'signed_out');
  core.dispatch({ kind: 'signed_out' });
  return token;
}
