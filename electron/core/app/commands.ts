import type { Api } from '../../../shared/api.ts';
import { AppError } from '../base/errors.ts';
import { hostSnippets } from '../hosts/snippets.ts';
import { presets } from '../oauth/providers/presets.ts';
import { accountCommands } from './account-commands.ts';
import { createCommandContext, type CommandContext, type CommandsDeps } from './command-context.ts';
import { serverCommands } from './server-commands.ts';
import { signInCommands } from './sign-in-commands.ts';

/** Returns the commands of `shared/api.ts`. Their input is already parsed; every error is an AppError. */
export function createCommands(deps: CommandsDeps): Api {
  const context = createCommandContext(deps);
  return {
    ...generalCommands(context),
    ...serverCommands(context),
    ...accountCommands(context),
    ...signInCommands(context),
  };
}

type GeneralCommands = Pick<Api, 'status' | 'presets' | 'openProviderPage' | 'hostSnippets' | 'unlockStore'>;

const generalCommands = ({ ports, named, current, unlockStore }: CommandContext): GeneralCommands => ({
  status: async () => current(),

  presets: async () => presets.map(({ name, title }) => ({ name, title })),

  async openProviderPage({ preset }) {
    const page = presets.find(({ title }) => title === preset)?.page;
    if (page === undefined) throw new AppError('E_BAD_INPUT', 'Keybridge does not know a page of this provider.');
    await ports.openBrowser(new URL(page));
    return { url: page };
  },

  async hostSnippets(input) {
    const { name, account } = named(input);
    const { bridgeCommand, bridgeEnv } = ports.about;
    const accountName = account.isDefault ? undefined : account.name;
    return hostSnippets(name, bridgeCommand, bridgeEnv, process.platform, accountName);
  },

  unlockStore: async () => unlockStore(),
});
