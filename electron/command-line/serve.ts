import { AppError } from '../core/base/errors.ts';
import { defaultLogLevel, isLogLevel, logLevels } from '../core/base/log-events.ts';
import { chooseStore } from '../platform/store-name.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export const serve: Command = {
  operands: [],
  options: ['store', 'sign-in', 'until-stdin-closes', 'verbose', 'log-level'],
  summary: 'run Keybridge without a window',
  help: `Usage: keybridge serve [options]

Runs Keybridge without a window, in the foreground. Prints one line when it is ready.
Ends on SIGTERM, on Ctrl-C, or when stdin closes if stdin is a pipe.

  --store NAME           where secrets are kept: keychain (default) or memory (lost when Keybridge ends).
                         Or KEYBRIDGE_STORE. Keybridge never falls back to another store.
  --sign-in auto         a call that needs a sign-in opens the browser (default: manual)
  --until-stdin-closes   end when stdin closes even if it is not a pipe
  --log-level LEVEL      what goes to keybridge.log in the data folder: error, warn, info (default) or debug
  --verbose              log to stderr too, at level debug unless --log-level is given
`,
  async run(_operands, { dataDir, options, terminal }) {
    const signIn = options['sign-in'] ?? 'manual';
    if (signIn !== 'auto' && signIn !== 'manual')
      throw new AppError('E_BAD_INPUT', '--sign-in must be "auto" or "manual".');
    const verbose = options.verbose ?? false;
    const logLevel = options['log-level'] ?? (verbose ? 'debug' : defaultLogLevel);
    if (!isLogLevel(logLevel)) throw new AppError('E_BAD_INPUT', `--log-level must be one of ${logLevels.join(', ')}.`);
    const store = chooseStore(options.store, terminal.env);
    // Loaded for this command only, so that the others start faster.
    const headless = await import('../headless.ts');
    await headless.serve({
      dataDir,
      store,
      autoSignIn: signIn === 'auto',
      verbose,
      logLevel,
      json: options.json ?? false,
      untilStdinCloses: options['until-stdin-closes'] ?? false,
      terminal,
    });
    return exitCodes.ok;
  },
};
