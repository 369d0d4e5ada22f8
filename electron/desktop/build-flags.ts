import path from 'node:path';

// Defined by scripts/build.mjs; absent when the sources run unbuilt.
declare const KEYBRIDGE_TEST_BUILD: boolean;
declare const KEYBRIDGE_ELECTRON: string;

/** True in a build for tests, which accepts debuggers. Never packaged for users. */
export const testBuild: boolean = typeof KEYBRIDGE_TEST_BUILD === 'boolean' && KEYBRIDGE_TEST_BUILD;

/** True when this code is loaded from the app's archive. Electron's own flag depends on the executable's name. */
export const packaged: boolean = import.meta.dirname.split(path.sep).some((part) => part.endsWith('.asar'));

/** 'development' when Electron is not the version that ships. */
export const runtime: 'release' | 'development' =
  typeof KEYBRIDGE_ELECTRON === 'string' && process.versions['electron'] === KEYBRIDGE_ELECTRON
    ? 'release'
    : 'development';
