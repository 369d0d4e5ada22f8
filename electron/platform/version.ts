declare const KEYBRIDGE_VERSION: string | undefined;

/** The version in package.json, inserted by the build. */
export const version = typeof KEYBRIDGE_VERSION === 'string' ? KEYBRIDGE_VERSION : '0.0.0';
