import type { Api } from '../../../shared/api.ts';
import { defined } from '../../../shared/defined.ts';
import { secretNames } from '../../../shared/server-settings.ts';
import { recheckableCodes } from '../../../shared/server-state.ts';
import { asAppError } from '../base/errors.ts';
import { namesFor, suggestName } from '../servers/name.ts';
import { keepNetwork, knownNetwork } from '../servers/networks.ts';
import { refuseWithoutCompany } from '../servers/secret-binding.ts';
import { keepSeen } from '../servers/seen.ts';
import { parseServerUrl } from '../servers/url.ts';
import { serverDetail } from '../status/server-detail.ts';
import type { CommandContext } from './command-context.ts';
import { configureServer } from './configure-server.ts';
import { createAddressPreviews, discoverOrSuggest, type AddressPreviews } from './previews.ts';

type ServerCommands = Pick<
  Api,
  'discover' | 'addServer' | 'configureServer' | 'checkServer' | 'serverDetail' | 'acceptServer' | 'removeServer'
>;

/** The commands that change or show an entry of the list of servers. */
export function serverCommands(context: CommandContext): ServerCommands {
  const { ports, servers, leaving, named, statusAfter, changed } = context;
  const previews = createAddressPreviews(ports.http);
  return {
    discover: ({ url, settings = {} }) => previews.preview(parseServerUrl(url), settings),

    addServer: addServer(context, previews),

    async configureServer(input) {
      const server = await configureServer(context, input);
      changed();
      return statusAfter(server);
    },

    checkServer: checkServer(context),

    async serverDetail(input) {
      const server = named(input);
      const [certificateExpiresAt, view] = await Promise.all([
        context.clients.of(server.id).certificateExpiresAt(),
        context.views.of(server),
      ]);
      return { ...serverDetail(context, server, statusAfter(server), view), ...defined({ certificateExpiresAt }) };
    },

    async acceptServer({ server }) {
      const accepted = await servers.accept(server);
      ports.log('server_accepted', { server: accepted.name });
      changed();
      return statusAfter(accepted);
    },

    async removeServer({ server }) {
      const aside = servers.find(server)
        ? undefined
        : servers.setAside.find(({ name, key }) => name === server || key === server);
      return aside ? leaving.removeAside(aside) : leaving.removeServer(named({ server }));
    },
  };
}

function addServer(
  { ports, servers, storeSecrets, statusAfter, changed }: CommandContext,
  previews: AddressPreviews,
): Api['addServer'] {
  const isTaken = (name: string): boolean =>
    servers.find(name) !== undefined || servers.setAside.some((entry) => entry.name === name);

  return async ({ url, name, clientId, clientSecret, allowMissingPkce, settings, secrets }) => {
    const parsed = parseServerUrl(url);
    const preview = previews.at(parsed);
    refuseWithoutCompany(
      settings ?? {},
      secretNames.filter((secret) => typeof secrets?.[secret] === 'string'),
    );
    const server = await servers.add({
      ...(name === undefined ? { name: suggestName(parsed, isTaken) } : namesFor(name, parsed, isTaken)),
      url: parsed.href,
      hasClientSecret: false,
      allowMissingPkce: allowMissingPkce ?? false,
      signInRequired: preview?.seen === 'sign_in',
      ...defined({
        clientId,
        openSeenAt: preview?.seen === 'open' ? ports.clock.now() : undefined,
        reservedRedirect: preview?.reservedRedirect,
        settings,
      }),
    });
    await storeSecrets(server, { ...secrets, clientSecret });
    changed();
    return statusAfter(server);
  };
}

function checkServer({
  ports,
  clients,
  servers,
  notes,
  named,
  statusAfter,
  changed,
}: CommandContext): Api['checkServer'] {
  return async (input) => {
    const server = named(input);
    const discovery = await discoverOrSuggest(
      clients.of(server.id),
      new URL(server.url),
      server.settings,
      knownNetwork(server, server.url),
    ).catch((error: unknown) => {
      throw asAppError(error, server.name);
    });
    await keepNetwork({ servers, log: ports.log }, server.id, discovery.allow);
    await keepSeen(servers, server, discovery.kind === 'open' ? 'open' : 'sign_in', ports.clock.now());
    // The check has shown that the cause of the last failure is gone.
    if (recheckableCodes.has(notes.get(server.id).lastFailure?.code ?? ''))
      notes.set(server.id, { lastFailure: undefined });
    changed();
    return statusAfter(server);
  };
}
