// The names of the system packages on Debian and Ubuntu.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @typedef {keyof typeof packages} Use */

/**
 * Packages by use; apt installs their dependencies. `a|b` is the same package before and since Debian 13 and Ubuntu
 * 24.04, which renamed some for 64-bit time.
 * @satisfies {Record<string, string[]>}
 */
const packages = {
  electron: [
    'libgtk-3-0|libgtk-3-0t64',
    'libnss3',
    'libgbm1',
    'libasound2|libasound2t64',
    'libxss1',
    'libsecret-1-0',
    'libnotify4',
    'xdg-utils',
  ],
  display: ['xvfb', 'fonts-dejavu-core'],
  // gdbus is in libglib2.0-bin, secret-tool in libsecret-tools, ps in procps.
  keyring: ['dbus', 'gnome-keyring', 'libglib2.0-bin', 'libsecret-1-0', 'libsecret-tools', 'procps'],
  tests: ['openssl'],
  // busctl is in systemd, `import` (a picture of the screen) in imagemagick.
  tray: ['openbox', 'xfce4-panel', 'xdotool', 'adwaita-icon-theme', 'systemd', 'imagemagick'],
};

/**
 * @param {Use[]} uses
 * @returns {string[]} names and choices of names
 */
export function packageNames(uses) {
  return [...new Set(uses.flatMap((use) => packages[use]))];
}

/**
 * Returns the packages that are installed under neither of their names.
 * @param {string[]} choices
 */
export function missingPackages(choices) {
  const names = choices.flatMap((choice) => choice.split('|'));
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n', ...names], {
    encoding: 'utf8',
  });
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return choices.filter((choice) => !choice.split('|').some((name) => installed.has(name)));
}

/**
 * Replaces each `a|b` by the name that this release has.
 * @param {string[]} choices
 */
export function namesKnownHere(choices) {
  return choices.map((choice) => {
    const names = choice.split('|');
    if (names.length === 1) return choice;
    // A virtual package has no such record. Without package lists, as on a fresh image, the release decides.
    const known = names.find((name) =>
      /^Package: /m.test(
        spawnSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8' }).stdout ?? '',
      ),
    );
    return known ?? names[hasTime64Names(osRelease()) ? 1 : 0] ?? choice;
  });
}

/**
 * The command that a user with the necessary rights has to run.
 * @param {string[]} missing
 */
export function installLine(missing) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${namesKnownHere(missing).join(' ')}`;
}

/**
 * Since Debian 13, of which testing and unstable have no number, and Ubuntu 24.04.
 * @param {{ ID?: string, VERSION_ID?: string }} release
 */
function hasTime64Names({ ID, VERSION_ID }) {
  if (ID === 'ubuntu') return Number(VERSION_ID) >= 24;
  return ID === 'debian' && (VERSION_ID === undefined || Number(VERSION_ID) >= 13);
}

/** @returns {{ ID?: string, VERSION_ID?: string }} */
function osRelease() {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^([A-Z_]+)="?(.*?)"?$/gm);
    return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
  } catch {
    return {};
  }
}
