import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron';
import type { Reply } from '../../../shared/reply.ts';
import type { App } from '../../core/app/app.ts';
import { dispatch } from '../../core/app/dispatch.ts';
import { AppError } from '../../core/base/errors.ts';
import type { Log } from '../../core/base/log.ts';
import { callChannel, statusChannel } from '../../../shared/channels.ts';
import { isOwnPage } from './page-address.ts';
import type { MainWindow } from './window.ts';

/** In characters of JSON. The longest valid input is a pasted redirect address of 32,000 characters. */
const maxInputLength = 64_000;

export interface IpcDeps {
  readonly app: App;
  readonly window: Pick<MainWindow, 'contents' | 'visible' | 'onShown'>;
  readonly log: Log;
}

/**
 * Connects the window to the core with two channels: the commands of `shared/api.ts` in, the status out. Input is
 * untrusted, even from the app's own page. Returns a function that disconnects it.
 */
export function connectWindow({ app, window, log }: IpcDeps): () => void {
  ipcMain.handle(callChannel, async (event, name: unknown, input: unknown): Promise<Reply> => {
    if (!fromOwnPage(event, window.contents)) {
      log('ipc_refused');
      return refusal('This page is not allowed to run commands.');
    }
    return isSmall(input) ? dispatch(app.api, name, input, log) : refusal('The input is too large.');
  });
  let missed = false;
  // A hidden window gets its status when it is shown again: drawing in the background costs processor time.
  const unsubscribe = app.status.subscribe((status) => {
    missed = !window.visible;
    if (!missed) window.contents?.send(statusChannel, status);
  });
  window.onShown(() => {
    if (missed) window.contents?.send(statusChannel, app.status.current());
    missed = false;
  });
  return () => {
    unsubscribe();
    ipcMain.removeHandler(callChannel);
  };
}

/** Whether the sender is the main frame of the window, on one of the app's own pages (UI02). */
function fromOwnPage(event: IpcMainInvokeEvent, contents: WebContents | undefined): boolean {
  const frame = event.senderFrame;
  return (
    contents !== undefined &&
    frame !== null &&
    event.sender === contents &&
    frame === contents.mainFrame &&
    isOwnPage(frame.url)
  );
}

function isSmall(input: unknown): boolean {
  if (input === undefined) return true;
  try {
    return (JSON.stringify(input)?.length ?? 0) <= maxInputLength;
  } catch {
    // A cycle or a BigInt.
    return false;
  }
}

function refusal(message: string): Reply {
  return { ok: false, error: new AppError('E_BAD_INPUT', message).toInfo() };
}
