import type { Keybridge } from '../../renderer/api.ts';

declare global {
  interface Window {
    /** What the preload script puts there; for code that tests run in the page. */
    readonly keybridge: Keybridge;
  }
}
