import { AppError, sanitizeExternalText } from '../core/base/errors.ts';

const storeNames = ['keychain', 'memory'] as const;
export type StoreName = (typeof storeNames)[number];

/**
 * The store named on the command line, else in the environment, else the keychain. Throws E_BAD_INPUT for an unknown
 * name.
 */
export function chooseStore(option: string | undefined, env: NodeJS.ProcessEnv): StoreName {
  const name = option ?? (env['KEYBRIDGE_STORE'] || 'keychain');
  const store = storeNames.find((one) => one === name);
  if (store === undefined)
    throw new AppError(
      'E_BAD_INPUT',
      `There is no store "${sanitizeExternalText(name, 40)}". Known: ${storeNames.join(', ')}.`,
    );
  return store;
}
