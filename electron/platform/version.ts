declare const KEYBRIDGE_VERSION: string | undefined;

/** From package.json, put in by the build. */
export const version = typeof KEYBRIDGE_VERSION === 'string' ? KEYBRIDGE_VERSION : '0.0.0';
