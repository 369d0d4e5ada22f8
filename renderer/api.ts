import type { CallInput, CommandName, Output } from '../shared/api.ts';
import type { Status } from '../shared/model.ts';
import type { Reply } from '../shared/reply.ts';
import { t } from './text.ts';

/** What the preload script puts on `window`: the page's only way out. */
export interface Keybridge {
  call<Name extends CommandName>(name: Name, input: CallInput<Name>): Promise<Reply<Output<Name>>>;
  /** Calls the listener with the current state, then after each change. Returns an unsubscribe function. */
  onStatus(listener: (status: Status) => void): () => void;
}

/** The only access to `window.keybridge`. */
export const keybridge = (): Keybridge => (window as unknown as { readonly keybridge: Keybridge }).keybridge;

/** Runs one command. A broken channel gives an error reply and never throws. */
export async function call<Name extends CommandName>(name: Name, input: CallInput<Name>): Promise<Reply<Output<Name>>> {
  try {
    return await keybridge().call(name, input);
  } catch {
    return {
      ok: false,
      error: { code: 'E_UNEXPECTED', message: t('unreachable.message'), remedy: t('unreachable.remedy') },
    };
  }
}

/** Calls `then` with the value of the promise. */
export function after<Value>(answer: Promise<Value>, then: (value: Value) => void): void {
  void (async () => then(await answer))();
}
