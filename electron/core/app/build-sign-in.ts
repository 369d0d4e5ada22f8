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
  /** Signs in and opens the browser. */
  readonly signInByBrowser: (accountKey: string) => Promise<void>;
}

/** Builds sign-ins, the step-ups that wait for them, and the flow that follows a sign-in. */
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
  // The sign-in flow passes the outcome to the step-ups.
  events.signInWanted.add((accountKey) => void signInByBrowser(accountKey).catch(() => {}));
  return { signIns, stepUps, signIn, signInByBrowser };
}

/** How step-ups find the scopes that a server offers and those that an account has. */
function stepUpScopes({
  vault,
  clients,
}: Pick<OAuthParts, 'vault' | 'clients'>): Pick<StepUpDeps, 'offeredScopes' | 'grantedScopes'> {
  return {
    async offeredScopes(server, challenge) {
      // Ignore the scopes that the user chose: the step-up needs everything that the server offers.
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
