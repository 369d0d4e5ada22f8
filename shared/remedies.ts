import type { ErrorCode } from './errors.ts';
import { bridgeRemedies } from './messages/en/bridge-remedies.ts';
import { coreRemedies } from './messages/en/remedies.ts';

/** What to do about each error. A code without a remedy does not compile. */
const remedies: Readonly<Record<ErrorCode, string>> = { ...bridgeRemedies, ...coreRemedies };

export const remedyFor = (code: ErrorCode): string => remedies[code];
