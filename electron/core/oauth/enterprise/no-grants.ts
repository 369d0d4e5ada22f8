import { AppError } from '../../base/errors.ts';
import type { Grants } from '../model.ts';

const none = (): never => {
  throw new AppError('E_UNEXPECTED', 'A company sign-in has no grant of its own.');
};

/** For sign-ins at companies: a user signs in, and the client secret is stored in the credential. */
export const noGrants: Grants = {
  withClientAuth: async (_credential, client) => client,
  prepare: async () => none(),
  requestToken: async () => none(),
  header: async () => none(),
};
