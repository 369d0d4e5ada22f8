import type { HostSnippet } from '../../../shared/model.ts';
import type { BridgeStart } from './entries.ts';
import { knownHosts, type Places } from './known-hosts.ts';

/**
 * What to put into each host's configuration, so that it starts the bridge for `server`.
 * `bridgeCommand` and `bridgeEnv` as in `About` (core/ports.ts).
 */
export function hostSnippets(
  server: string,
  bridgeCommand: readonly [string, ...string[]],
  bridgeEnv: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
): HostSnippet[] {
  const [command, ...args] = bridgeCommand;
  // Several hosts refuse a dot in the name of a server.
  const start: BridgeStart = { key: server.replaceAll('.', '-'), command, args: [...args, server], env: bridgeEnv };
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
