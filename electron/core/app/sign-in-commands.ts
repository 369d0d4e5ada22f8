import type { Api } from '../../../shared/api.ts';
import type { CommandContext } from './command-context.ts';

type SignInCommands = Pick<
  Api,
  | 'signIn'
  | 'confirmSignIn'
  | 'cancelSignIn'
  | 'finishSignIn'
  | 'dismissAccess'
  | 'refreshNow'
  | 'signOut'
  | 'signOutEverywhere'
>;

/** The commands that sign in, refresh and sign out. */
export function signInCommands(context: CommandContext): SignInCommands {
  const { tokens, signIns, connections, stepUps, leaving, named, statusAfter, changed } = context;
  return {
    async signIn(input) {
      const server = named(input);
      await context.signIn(server.id, input);
      return statusAfter(server);
    },

    async confirmSignIn(input) {
      const server = named(input);
      signIns.confirm(server.id, input.hosts);
      return statusAfter(server);
    },

    async cancelSignIn(input) {
      const server = named(input);
      signIns.cancel(server.id);
      changed();
      return statusAfter(server);
    },

    async finishSignIn(input) {
      const server = named(input);
      await signIns.finish(server.id, input.redirectUrl);
      return statusAfter(server);
    },

    async dismissAccess(input) {
      const server = named(input);
      stepUps.dismiss(server.id);
      return statusAfter(server);
    },

    async refreshNow(input) {
      const server = named(input);
      const result = await tokens.refreshNow(server.id);
      connections.tryNow(server.id);
      if (result.kind === 'refused' || result.kind === 'unavailable') throw result.error.about(server.name);
      return statusAfter(server);
    },

    signOut: (input) => leaving.signOut(named(input)),
    signOutEverywhere: () => leaving.signOutEverywhere(),
  };
}
