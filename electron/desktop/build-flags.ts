import path from 'node:path';

// Put in by scripts/build.mjs; absent where the sources run as they are.
declare const KEYBRIDGE_TEST_BUILD: boolean;
declare const KEYBRIDGE_ELECTRON: string;

/** True in a build for tests, which lets debuggers in. Never packaged for users. */
export const testBuild: boolean = typeof KEYBRIDGE_TEST_BUILD === 'boolean' && KEYBRIDGE_TEST_BUILD;

/**
 * True when this code comes out of the app's archive. The executable's name, which Electron goes by, can be changed.
 */
export const packaged: boolean = import.meta.dirname.split(path.sep).some((part) => part.endsWith('.asar'));

/** 'development' when the Electron that runs is not the one that ships. */
export const runtime: 'release' | 'development' =
  typeof KEYBRIDGE_ELECTRON === 'string' && process.versions['electron'] === KEYBRIDGE_ELECTRON
    ? 'release'
    : 'development';
