/** This machine lacks or cannot fetch something. The message says what. */
export class Missing extends Error {}

/**
 * For `catch`: turns a failed download into Missing. A download that fails its verification stays an error.
 * @param {string} what
 * @returns {(error: Error & { code?: unknown }) => never}
 */
export const notFetched = (what) => (error) => {
  throw error instanceof Missing || error.code === 'EINTEGRITY'
    ? error
    : new Missing(`${what} could not be fetched: ${error.message}`);
};
