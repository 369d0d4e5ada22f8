// Installs what the commands need: node modules, an Electron, and on Debian and Ubuntu system libraries and programs.
// The commands call setUp() themselves; `npm run setup` installs everything in advance.
//   npm run setup              for every command: tests, demo, the app
//   npm run setup -- --fast    for `npm test -- --fast`: without display and Electron
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { installLine, missingPackages, namesKnownHere, packageNames } from './debian.mjs';
import { ensureElectron } from './electron-runtime.mjs';
import { Interrupted, waitForInterruption } from './interruption.mjs';
import { codeOf, withLock } from './lock.mjs';

const root = path.join(import.meta.dirname, '..');

/** Exit code of a command that needs the user to do something first. */
export const setupNeededExitCode = 3;

/** Thrown if the user has to do something. The message says what. */
export class SetupNeeded extends Error {}

/**
 * Runs a command's main function. Prints SetupNeeded and Interrupted without a stack.
 * @param {() => Promise<number | void>} main returns the exit code
 */
export async function runCommand(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupNeeded || error instanceof Interrupted)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = error instanceof Interrupted ? error.exitCode : setupNeededExitCode;
  }
}

/**
 * @typedef {Partial<Record<import('./debian.mjs').Use, boolean>>} Uses
 *
 * Every command does this first: installs node modules, the system packages for `uses`, and for `electron` the runtime.
 * Throws SetupNeeded if the user has to do something.
 * @param {Uses} uses
 */
export async function setUp(uses = {}) {
  await ensureModules();
  await ensureSystem(uses);
  if (uses.electron) await ensureElectron();
}

/**
 * The uses of the tests. `fast`: without those that need a display and Electron.
 * @param {{ fast: boolean }} kind
 * @returns {Uses}
 */
export function usesOfTests({ fast }) {
  return { keyring: true, tests: true, electron: !fast, display: !fast, tray: !fast };
}

/** Runs `npm ci` if node_modules does not match the lock file. */
export async function ensureModules({ log = console.error } = {}) {
  const lockFile = path.join(root, 'package-lock.json');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (await sameModules(lockFile, installed)) return;
  const cache = path.join(root, '.cache');
  await mkdir(cache, { recursive: true });
  await withLock(path.join(cache, 'npm-ci.lock'), async () => {
    if (await sameModules(lockFile, installed)) return;
    log('Installing node modules (npm ci) ...');
    const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      mayBeKilled: true,
      cwd: root,
      shell: process.platform === 'win32',
    });
    if (code !== 0)
      throw new SetupNeeded(
        `${output}\nThe node modules could not be installed: see above. ` +
          'This needs the npm registry, or an npm cache that has them.',
      );
  });
}

/**
 * Whether npm's record of installed packages has the packages and versions of the lock file.
 * @param {string} lockFile
 * @param {string} installed
 */
async function sameModules(lockFile, installed) {
  if (!existsSync(installed)) return false;
  const [locked, present] = await Promise.all(
    [lockFile, installed].map(async (file) => JSON.parse(await readFile(file, 'utf8')).packages),
  );
  return Object.entries(locked).every(([name, { version, integrity, optional, peer, dev }]) => {
    if (name === '' || optional || (peer && !dev)) return true;
    return present[name]?.version === version && present[name]?.integrity === integrity;
  });
}

/**
 * The programs of each use, for systems without dpkg.
 * @type {Record<import('./debian.mjs').Use, string[]>}
 */
const programs = {
  electron: [],
  display: ['Xvfb'],
  keyring: ['dbus-daemon', 'gnome-keyring-daemon', 'gdbus', 'secret-tool', 'ps'],
  tests: ['openssl'],
  tray: ['openbox', 'xfce4-panel', 'xdotool', 'busctl'],
};

/**
 * Installs the missing system packages of these uses, as root or with `sudo -n`. Otherwise throws SetupNeeded with the
 * command to run. On systems without dpkg it only names the missing programs.
 * @param {Uses & { log?: (line: string) => void }} uses
 */
async function ensureSystem({ log = console.error, ...uses }) {
  if (process.platform !== 'linux') return;
  const allUses = /** @type {import('./debian.mjs').Use[]} */ (Object.keys(programs));
  const wantedUses = allUses.filter((use) => uses[use]);
  if (!existsSync('/usr/bin/dpkg-query')) return needPrograms(wantedUses.flatMap((use) => programs[use]));
  const wanted = packageNames(wantedUses);
  const missing = missingPackages(wanted);
  if (missing.length === 0) return;
  const prefix = rootPrefix();
  if (!prefix)
    throw new SetupNeeded(
      `Some system packages are missing. Run this line once, then try again:\n  ${installLine(missing)}`,
    );
  log(`Installing system packages (apt-get): ${missing.map((choice) => choice.replace(/[|].*/, '')).join(' ')} ...`);
  await apt(prefix, ['update'], missing);
  await apt(prefix, ['install', '-y', '--no-install-recommends', ...namesKnownHere(missing)], missing);
  const still = missingPackages(wanted);
  if (still.length > 0)
    throw new SetupNeeded(
      `Not all system packages were installed. Run this line, then try again:\n  ${installLine(still)}`,
    );
}

/** @param {string[]} names */
function needPrograms(names) {
  const missing = names.filter(
    (name) => codeOf(spawnSync(name, ['--version'], { stdio: 'ignore' }).error) === 'ENOENT',
  );
  if (missing.length > 0)
    throw new SetupNeeded(
      `These programs are missing: ${missing.join(', ')}. ` +
        "Install them with your system's package manager, then try again.",
    );
}

function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * @param {string[]} prefix
 * @param {string[]} args
 * @param {string[]} missing
 */
async function apt(prefix, args, missing) {
  const [command = 'env', ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-o',
    'Dpkg::Use-Pty=0',
    ...args,
  ];
  const { code, output } = await run(command, rest);
  if (code !== 0)
    throw new SetupNeeded(
      `${output}\nThe system packages could not be installed: apt-get ${args[0]} ended with ${String(code)}. ` +
        `Run this line, then try again:\n  ${installLine(missing)}`,
    );
}

/**
 * Runs a program and returns its exit code and last lines of output. After an interruption it still waits for the end,
 * so that no installation continues in the background. `mayBeKilled`: then it kills the program, as npm takes half a
 * minute to end and can start over, while apt has to finish.
 * @param {string} command
 * @param {string[]} args
 * @param {{ mayBeKilled?: boolean, cwd?: string, shell?: boolean }} [options]
 * @returns {Promise<{ code: unknown, output: string }>}
 */
async function run(command, args, { mayBeKilled = false, ...options } = {}) {
  const interruption = waitForInterruption();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  const keep = (/** @type {Buffer} */ chunk) => (output = (output + chunk).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  /** @type {Promise<{ code: unknown, output: string }>} */
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: codeOf(error), output: error.message }));
    child.on('close', (code, signal) =>
      resolve({ code: code ?? signal, output: output.trim().split('\n').slice(-25).join('\n') }),
    );
  });
  try {
    const first = await Promise.race([ended, interruption.signalled]);
    if (typeof first === 'object') return first;
    if (mayBeKilled) child.kill('SIGKILL');
    await ended;
    throw new Interrupted(path.basename(command), first);
  } finally {
    interruption.stopWaiting();
  }
}

async function runFromCommandLine() {
  const fast = process.argv.includes('--fast');
  await setUp(usesOfTests({ fast }));
  console.log(fast ? 'Ready for npm test -- --fast.' : 'Ready for npm test, npm run demo and npm start.');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runCommand(runFromCommandLine);
