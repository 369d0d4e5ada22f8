import type { SignInHosts } from '../../../../shared/model.ts';
import { asAppError } from '../../base/errors.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Identity, IdentityRequest } from '../identity/identity.ts';
import { registrationFor } from '../registration/registration.ts';
import { endpointHosts, withDevicePage } from '../authorization/endpoint-hosts.ts';
import type { Attempt } from '../authorization/attempt.ts';
import { withoutRefused } from '../scopes.ts';
import { credentialOf, tokenClient } from './credential.ts';
import { rulesFor } from './provider-rules.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import { deviceCode, deviceGrant, pollForTokens } from '../token-endpoint/device-authorization.ts';
import type { Clock } from '../../base/clock.ts';
import type { Discovery, Grants } from '../model.ts';
import type { Server } from '../../servers/server.ts';
import { dropRegistration } from '../registration/registration-store.ts';
import type { RegistrationDeps } from '../registration/registration-model.ts';

export interface DeviceSignInDeps {
  readonly registering: RegistrationDeps;
  readonly clock: Clock;
  readonly servers: Pick<Servers, 'update'>;
  readonly tokens: Pick<AccessTokens, 'adopt'>;
  readonly grants: Grants;
  readonly whoIs: (request: Omit<IdentityRequest, 'owner'>) => Promise<Identity>;
  /** Throws where the person does not confirm, or has not confirmed, that the sign-in leads to these hosts. */
  readonly confirm: (hosts: SignInHosts) => Promise<void>;
  /** Opens the page where the user wants that; its failure is shown, and the wait goes on. */
  readonly open: (url: URL, userCode: string) => void;
}

/** Never opened: a registration wants one. Its path tells these registrations from those of the browser's sign-in. */
const redirectUri = 'http://127.0.0.1/callback/device';

/**
 * Sign-in by device code (RFC 8628): the person signs in on whatever device, and the code ties it to this one. 'again':
 * the server did not know our old registration, which is dropped now. Throws AppError.
 */
export async function signInByDevice(
  deps: DeviceSignInDeps,
  server: Server,
  discovery: Extract<Discovery, { kind: 'protected' }>,
  wanted: readonly string[],
  attempt: Attempt,
): Promise<'done' | 'again'> {
  const { registering, clock, grants } = deps;
  const { authorizationServer, allow } = discovery;
  const { signal } = attempt;
  const rules = rulesFor(server.settings, discovery);
  const options = { http: registering.http, clock, signal };
  attempt.step('register');
  const found = await registrationFor(registering, {
    accountKey: server.id,
    authorizationServer,
    allow,
    redirectUri,
    scopes: wanted,
    signal,
    grantTypes: [deviceGrant],
    ...(rules.preset ? { preset: rules.preset } : {}),
  });
  if (found.kind === 'redirect_refused') throw found.error;
  const scopes = withoutRefused(wanted, found.registration);
  try {
    const client = await grants.withClientAuth({ id: server.id }, tokenClient(discovery, found, rules));
    const code = await deviceCode(client, authorizationServer['device_authorization_endpoint'], scopes, options);
    await deps.confirm(withDevicePage(endpointHosts(authorizationServer, 'device'), code.url));
    attempt.step('browser', { url: code.url.href, userCode: code.userCode, endsAt: clock.now() + code.expiresInMs });
    deps.open(code.url, code.userCode);
    const tokens = await pollForTokens(client, code, options);
    attempt.step('exchange');
    // Without a nonce: the request for a device code has none (RFC 8628 3.1).
    const identity = await deps.whoIs({ authorizationServer, client, tokens, scopes, signal });
    attempt.refuseIfCancelled();
    await deps.servers.update(server.id, { signInRequired: true });
    await deps.tokens.adopt(
      credentialOf(server, client, scopes, tokens, identity, clock.now()),
      tokens.accessToken,
      tokens.expiresInMs,
    );
    return 'done';
  } catch (error) {
    const known = asAppError(error);
    if (!found.reused || known.code !== 'E_CLIENT_REFUSED') throw known;
    await dropRegistration(registering, server.id, found.registration);
    return 'again';
  }
}
