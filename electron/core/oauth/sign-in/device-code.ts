import { defined } from '../../../../shared/defined.ts';
import type { Clock } from '../../base/clock.ts';
import { asAppError } from '../../base/errors.ts';
import type { Server } from '../../servers/server.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { endpointHosts, withDevicePage } from '../authorization/endpoint-hosts.ts';
import type { Identity, IdentityRequest } from '../identity/identity.ts';
import type { Grants } from '../model.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';
import { dropRegistration } from '../registration/registration-store.ts';
import { registrationFor } from '../registration/registration.ts';
import { withoutRefused } from '../scopes.ts';
import { deviceCode, deviceGrant, pollForTokens } from '../token-endpoint/device-authorization.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { credentialOf, storeSignIn, tokenClient } from './credential.ts';
import type { ProtectedServer } from './discover-server.ts';
import { rulesFor } from './provider-rules.ts';
import type { SignInHosts } from '../../../../shared/sign-in-state.ts';

export interface DeviceSignInDeps {
  readonly registering: RegistrationDeps;
  readonly clock: Clock;
  readonly servers: Pick<Servers, 'update'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  readonly whoIs: (request: Omit<IdentityRequest, 'owner'>) => Promise<Identity>;
  /** Asks the user to confirm the hosts of the sign-in, where that is necessary. Throws unless they are confirmed. */
  readonly confirm: (hosts: SignInHosts) => Promise<void>;
  /** Opens the page, if the user wants that. A failure shows in the progress, and the sign-in keeps waiting. */
  readonly open: (url: URL, userCode: string) => void;
}

/** Never opened, but a registration needs one. Its path distinguishes these registrations from the browser's. */
const redirectUri = 'http://127.0.0.1/callback/device';

/**
 * Signs in by device code (RFC 8628): the user signs in on any device and enters the code there. Returns 'again' if
 * the server did not know our old registration, which has been dropped. Throws AppError.
 */
export async function signInByDevice(
  deps: DeviceSignInDeps,
  server: Server,
  discovery: ProtectedServer,
  requested: readonly string[],
  attempt: Attempt,
): Promise<'done' | 'again'> {
  const { registering, clock, grants } = deps;
  const { authorizationServer, allow } = discovery;
  const { signal } = attempt;
  const rules = rulesFor(server.settings, discovery);
  const options = { http: registering.http, clock, signal };
  attempt.step('register');
  const registered = await registrationFor(registering, {
    accountKey: server.id,
    authorizationServer,
    allow,
    redirectUri,
    scopes: requested,
    signal,
    grantTypes: [deviceGrant],
    ...defined({ preset: rules.preset }),
  });
  if (registered.kind === 'redirect_refused') throw registered.error;
  const scopes = withoutRefused(requested, registered.registration);
  try {
    const client = await grants.withClientAuth({ id: server.id }, tokenClient(discovery, registered, rules));
    const code = await deviceCode(client, authorizationServer['device_authorization_endpoint'], scopes, options);
    await deps.confirm(withDevicePage(endpointHosts(authorizationServer, 'device'), code.url));
    attempt.step('browser', { url: code.url.href, userCode: code.userCode, endsAt: clock.now() + code.expiresInMs });
    deps.open(code.url, code.userCode);
    const tokens = await pollForTokens(client, code, options);
    attempt.step('exchange');
    // Without a nonce, which a device authorization request cannot carry (RFC 8628 3.1).
    const identity = await deps.whoIs({ authorizationServer, client, tokens, scopes, signal });
    attempt.refuseIfCancelled();
    await storeSignIn(deps, credentialOf(server, client, scopes, tokens, identity, clock.now()), tokens);
    return 'done';
  } catch (thrown) {
    const error = asAppError(thrown);
    if (!registered.reused || error.code !== 'E_CLIENT_REFUSED') throw error;
    await dropRegistration(registering, server.id, registered.registration);
    return 'again';
  }
}
