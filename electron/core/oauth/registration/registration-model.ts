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
  /** By registration endpoint: the time before which no request is sent (Retry-After). */
  readonly pauses: Map<string, Deadline>;
}

export interface RegistrationRequest {
  readonly accountKey: string;
  readonly authorizationServer: AuthorizationServer;
  readonly allow: AddressPolicy;
  /** The exact redirect URI that the listener is on. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal;
  /** In addition to `authorization_code` and `refresh_token`. */
  readonly grantTypes?: readonly string[];
  /** The preset of this provider. */
  readonly preset?: Preset;
  /** Do not use a client ID metadata document: its redirect URIs are fixed. */
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
