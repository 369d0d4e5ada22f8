import type { HostSnippet } from '../../../shared/model.ts';
import type { BridgeStart } from './entries.ts';
import { knownHosts, type Places } from './known-hosts.ts';

/**
 * Returns for each host what to add to its configuration so that it starts the bridge for `server`. `account`: its
 * name, unless it is the default account. `bridgeCommand` and `bridgeEnv`: see `About` (core/base/about.ts).
 */
export function hostSnippets(
  server: string,
  bridgeCommand: readonly [string, ...string[]],
  bridgeEnv: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
  account?: string,
): HostSnippet[] {
  const [command, ...args] = bridgeCommand;
  const named = account === undefined ? [] : ['--account', account];
  // Several hosts do not accept a dot in the name of a server.
  const key = [server, ...named.slice(1)].join('-').replaceAll(/[^A-Za-z0-9_-]/g, '-');
  const start: BridgeStart = { key, command, args: [...args, server, ...named], env: bridgeEnv };
  return knownHosts.map(({ host, title, places, write, writeOnWindows }) => ({
    host,
    title,
    place: placeOn(platform, places),
    ...(platform === 'win32' && writeOnWindows ? writeOnWindows : write)(start),
  }));
}

function placeOn(platform: NodeJS.Platform, { darwin, win32, other }: Places): string {
  if (platform === 'darwin') return darwin;
  return platform === 'win32' ? win32 : other;
}
