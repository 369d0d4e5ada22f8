import { discover } from '../oauth/discovery/discovery.ts';
import { createSignIns, type SignIns } from '../oauth/sign-in/sign-in.ts';
import type { AccessTokens } from '../oauth/tokens/access-tokens.ts';
import { scopesInEffect } from '../oauth/tokens/granted-scopes.ts';
import { knownNetwork } from '../servers/networks.ts';
import { createStepUps, type StepUpDeps, type StepUps } from '../step-up/step-up.ts';
import { signInsDeps, type OAuthParts } from './build-oauth.ts';
import { createSignInFlow, type SignInFlow } from './sign-in-flow.ts';

export interface SignInParts {
  readonly signIns: SignIns;
  readonly stepUps: StepUps;
  readonly signIn: SignInFlow;
  /** The same, with the browser opened. */
  readonly signInByBrowser: (accountKey: string) => Promise<void>;
}

/** Sign-ins, the calls that wait for one, and what follows when one ends. */
export function buildSignIn(parts: OAuthParts, tokens: AccessTokens, autoSignIn: boolean): SignInParts {
  const { ports, servers, vault, notes, events } = parts;
  const { clock, log } = ports;
  const signIns = createSignIns(signInsDeps(parts, tokens));
  const stepUps = createStepUps({
    servers,
    notes,
    clock,
    log,
    ...stepUpScopes(parts),
    autoSignIn: autoSignIn ? async (accountKey) => events.signInWanted.emit(accountKey) : undefined,
    onChange: () => events.changed.emit(),
  });
  const signIn = createSignInFlow({ servers, vault, signIns, stepUps, notes, events, log });
  const signInByBrowser = (accountKey: string): Promise<void> => signIn(accountKey, { openBrowser: true });
  // How it ends is told to the step-ups.
  events.signInWanted.add((accountKey) => void signInByBrowser(accountKey).catch(() => {}));
  return { signIns, stepUps, signIn, signInByBrowser };
}

/** The scopes that a server offers, and those that an account has. */
function stepUpScopes({
  vault,
  clients,
}: Pick<OAuthParts, 'vault' | 'clients'>): Pick<StepUpDeps, 'offeredScopes' | 'grantedScopes'> {
  return {
    async offeredScopes(server, challenge) {
      // What the server offers, not what the user chose of it before.
      const { scopes: _chosen, ...settings } = server.settings;
      const discovery = await discover(new URL(server.url), {
        http: clients.of(server.id),
        challenge,
        settings,
        network: knownNetwork(server, server.url),
      });
      return discovery.kind === 'protected' ? discovery.scopes : [];
    },
    grantedScopes(accountKey) {
      const facts = vault.facts(accountKey);
      return facts ? scopesInEffect(facts) : [];
    },
  };
}
