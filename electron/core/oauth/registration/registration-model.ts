import type { AppError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';
import type { Servers } from '../../servers/servers.ts';
import type { Vault } from '../../vault/credentials.ts';
import type { Preset } from '../providers/presets.ts';
import type { Deadline, Clock } from '../../base/clock.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';
import type { AuthorizationServer } from '../model.ts';
import type { Registration } from '../../servers/server.ts';

export interface RegistrationDeps {
  readonly http: Http;
  readonly clock: Clock;
  readonly servers: Pick<Servers, 'find' | 'update' | 'updateAccount'>;
  readonly vault: Pick<Vault, 'readClientSecret' | 'writeClientSecret' | 'deleteClientSecret'>;
  /** By registration endpoint: no request before this, because it sent Retry-After. */
  readonly pauses: Map<string, Deadline>;
}

export interface RegistrationRequest {
  readonly accountKey: string;
  readonly authorizationServer: AuthorizationServer;
  readonly allow: AddressPolicy;
  /** The redirect URI on which a listener is up, exactly. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal;
  /** In addition to the usual ones. */
  readonly grantTypes?: readonly string[];
  /** What is known of this provider. */
  readonly preset?: Preset;
  /** Register even where a client ID metadata document could be used, because its redirect URIs are fixed. */
  readonly withoutDocument?: boolean;
}

export type RegistrationOutcome =
  /** `reused`: from an earlier sign-in, so the server may have forgotten it. */
  | {
      readonly kind: 'registered';
      readonly registration: Registration;
      readonly clientSecret?: Secret;
      readonly reused: boolean;
    }
  /** The server does not accept this redirect URI; another host name may work. */
  | { readonly kind: 'redirect_refused'; readonly error: AppError };
