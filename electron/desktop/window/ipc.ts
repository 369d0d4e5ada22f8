import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron';
import type { Reply } from '../../../shared/reply.ts';
import type { App } from '../../core/app/app.ts';
import { dispatch } from '../../core/app/dispatch.ts';
import { AppError } from '../../core/base/errors.ts';
import type { Log } from '../../core/base/log.ts';
import { callChannel, statusChannel } from '../../../shared/channels.ts';
import { isOwnPage } from './page-address.ts';
import type { MainWindow } from './window.ts';

/** Characters of JSON. The longest honest input is a pasted redirect address. */
const largestInput = 64_000;

export interface IpcDeps {
  readonly app: App;
  readonly window: Pick<MainWindow, 'contents' | 'visible' | 'onShown'>;
  readonly log: Log;
}

/**
 * The window's way to the core: one channel in, for the commands of `shared/api.ts`, and one out, for the status. What
 * comes in is untrusted, even from the own page. Returns an unsubscribe function.
 */
export function connectWindow({ app, window, log }: IpcDeps): () => void {
  ipcMain.handle(callChannel, async (event, name: unknown, input: unknown): Promise<Reply> => {
    if (!fromOwnPage(event, window.contents)) {
      log('ipc_refused');
      return refused('This page may not give commands.');
    }
    return isSmall(input) ? dispatch(app.api, name, input, log) : refused('The input is too large.');
  });
  let missed = false;
  // What changes while nobody looks is shown when somebody does: a page that draws behind a hidden window keeps the
  // processor awake.
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

/** The main frame of the one window, on one of the app's own pages (UI02). */
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
    return (JSON.stringify(input)?.length ?? 0) <= largestInput;
  } catch {
    return false; // cyclic, or a BigInt
  }
}

function refused(message: string): Reply {
  return { ok: false, error: new AppError('E_BAD_INPUT', message).toInfo() };
}
