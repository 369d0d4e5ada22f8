/** Something that this machine lacks or cannot fetch; the message says what. */
export class Missing extends Error {}

/**
 * For `catch`: what could not be fetched is missing here. What came and is not what it should be, is an error.
 * @param {string} what
 * @returns {(error: Error & { code?: unknown }) => never}
 */
export const notFetched = (what) => (error) => {
  throw error instanceof Missing || error.code === 'EINTEGRITY'
    ? error
    : new Missing(`${what} could not be fetched: ${error.message}`);
};
