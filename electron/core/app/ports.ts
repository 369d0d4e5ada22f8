import type { About } from '../base/about.ts';
import type { OAuthPorts } from '../oauth/model.ts';
import type { SecretStore } from '../vault/secret-store.ts';

/**
 * What the core needs from its environment. `electron/main.ts` and `electron/headless.ts` provide it; tests pass fakes.
 */
export interface Ports extends OAuthPorts {
  /** Absolute path of the folder with the user's server list. Exists, 0700. */
  readonly dataDir: string;
  readonly store: SecretStore;
  readonly about: About;
}
