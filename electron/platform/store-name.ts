import { AppError, sanitizeExternalText } from '../core/base/errors.ts';

const storeNames = ['keychain', 'memory'] as const;
export type StoreName = (typeof storeNames)[number];

/**
 * The name from the command line, else from the environment, else the keychain. Throws E_BAD_INPUT: never another store
 * than named.
 */
export function chooseStore(option: string | undefined, env: NodeJS.ProcessEnv): StoreName {
  const wanted = option ?? (env['KEYBRIDGE_STORE'] || 'keychain');
  const known = storeNames.find((name) => name === wanted);
  if (known === undefined)
    throw new AppError(
      'E_BAD_INPUT',
      `There is no store "${sanitizeExternalText(wanted, 40)}". Known: ${storeNames.join(', ')}.`,
    );
  return known;
}
