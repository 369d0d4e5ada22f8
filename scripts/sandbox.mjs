import { spawnSync } from 'node:child_process';

/**
 * The switch that turns Chromium's sandbox off where it cannot run: as root, and on systems that give ordinary users no
 * user namespaces. Only for launchers of tests and of the demo.
 * @returns {string[]}
 */
export function sandboxSwitches() {
  if (process.platform !== 'linux') return [];
  return process.getuid?.() !== 0 && hasUserNamespaces() ? [] : ['--no-sandbox'];
}

/** False in most containers, and on Ubuntu 24.04 for programs that were not installed from a package. */
export function hasUserNamespaces() {
  return spawnSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'ignore' }).status === 0;
}
