// What a fresh machine lacks: node modules, and on Debian and Ubuntu the system's libraries and programs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from './lock.mjs';

const root = path.join(import.meta.dirname, '..');

/** Exit code of a command that cannot go on before a person has done something. */
export const setupNeededExitCode = 3;

/** Something that only the person at the keyboard can do; the message says what, in one line. */
export class SetupNeeded extends Error {}

/** Runs a command's main function; what a person must do is printed without a stack. */
export async function runCommand(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupNeeded)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = setupNeededExitCode;
  }
}

/** `npm ci`, when node_modules is absent or older than the lock file says. */
export async function ensureModules({ log = console.error } = {}) {
  const lockFile = path.join(root, 'package-lock.json');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (await sameModules(lockFile, installed)) return;
  // Beside node_modules, which npm ci empties.
  await withLock(path.join(root, '.npm-ci.lock'), async () => {
    if (await sameModules(lockFile, installed)) return;
    log('Installing node modules (npm ci) ...');
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, shell: process.platform === 'win32' });
  });
}

/** npm's own record of what it installed lists the same packages and versions as the lock file. */
async function sameModules(lockFile, installed) {
  if (!existsSync(installed)) return false;
  const [wanted, have] = await Promise.all([lockFile, installed].map(async (file) => JSON.parse(await readFile(file, 'utf8')).packages));
  return Object.entries(wanted).every(([name, { version, integrity, optional, peer, dev }]) => {
    if (name === '' || optional || (peer && !dev)) return true;
    return have[name]?.version === version && have[name]?.integrity === integrity;
  });
}

/**
 * Debian packages. `a|b`: the first that the release knows (Debian 13 and Ubuntu 24.04 renamed some for 64-bit time).
 * Chosen by what it is for; apt brings what these depend on.
 */
const packages = {
  electron: ['libgtk-3-0|libgtk-3-0t64', 'libnss3', 'libgbm1', 'libasound2|libasound2t64', 'libxss1', 'libsecret-1-0', 'libnotify4', 'xdg-utils'],
  display: ['xvfb', 'fonts-dejavu-core', 'imagemagick'],
  keyring: ['dbus', 'gnome-keyring', 'libglib2.0-bin', 'libsecret-1-0'],
  tray: ['openbox', 'xfce4-panel', 'xdotool', 'adwaita-icon-theme', 'systemd'],
};

/**
 * Makes sure of the system packages for what the caller is going to run. Installs them as root or by `sudo -n`, else
 * throws SetupNeeded with the line to run. On other systems than Debian's family nothing is done.
 * @param {{ electron?: boolean, display?: boolean, keyring?: boolean, tray?: boolean, log?: (line: string) => void }} uses
 */
export async function ensureSystem({ log = console.error, ...uses }) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/dpkg-query')) return;
  const wanted = [...new Set(Object.entries(packages).flatMap(([use, names]) => (uses[use] ? names : [])))];
  const missing = notInstalled(wanted);
  if (missing.length === 0) return;
  const prefix = rootPrefix();
  if (!prefix) throw new SetupNeeded(`Some system packages are missing. Run this line once, then try again:\n  sudo apt-get update && sudo apt-get install -y ${missing.map(firstName).join(' ')}`);
  log(`Installing system packages: ${missing.map(firstName).join(' ')} ...`);
  await apt(prefix, ['update', '-q']);
  await apt(prefix, ['install', '-q', '-y', '--no-install-recommends', ...missing.map(nameKnownHere)]);
  const still = notInstalled(wanted);
  if (still.length > 0) throw new SetupNeeded(`apt-get could not install ${still.join(' ')}. Install them by hand, then try again.`);
}

const firstName = (choice) => choice.split('|')[0];

function notInstalled(choices) {
  const names = choices.flatMap((choice) => choice.split('|'));
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\n', ...names], { encoding: 'utf8' });
  const installed = new Set(stdout.split('\n').filter((line) => line.startsWith('installed ')).map((line) => line.slice('installed '.length)));
  return choices.filter((choice) => !choice.split('|').some((name) => installed.has(name)));
}

/** Of `a|b` the one that has a version here and is not a mere virtual name. */
function nameKnownHere(choice) {
  const names = choice.split('|');
  return names.find((name) => /^Package: /m.test(spawnSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8' }).stdout)) ?? names[0];
}

function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

async function apt(prefix, args) {
  const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args];
  await run(command, rest, {}).catch((error) => {
    throw new SetupNeeded(`The system packages could not be installed: ${error.message}. Run it by hand:\n  ${[command, ...rest].join(' ')}`);
  });
}

/** Standard output goes to standard error, so that a command's own output stays clean. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2], ...options });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code ?? 'a signal'}`))));
  });
}
