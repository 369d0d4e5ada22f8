import { app } from 'electron';
import type { App } from '../../core/app/app.ts';
import { dispatch } from '../../core/app/dispatch.ts';
import type { Log } from '../../core/base/log.ts';
import type { TrayAction } from './tray-model.ts';
import type { MainWindow } from '../window/window.ts';

const stepCommands = {
  sign_in: 'signIn',
  check: 'checkServer',
  try_now: 'refreshNow',
  cancel: 'cancelSignIn',
} as const;

/**
 * Runs what was clicked in the tray, with the commands that the window uses. A failure opens the window, which shows
 * it.
 */
export function trayActions({
  core,
  window,
  log,
}: {
  readonly core: App;
  readonly window: MainWindow;
  readonly log: Log;
}): (action: TrayAction) => void {
  const show = (server?: string) => void window.show(server);

  async function run(name: string, input: unknown, server?: string): Promise<void> {
    const reply = await dispatch(core.api, name, input, log);
    if (!reply.ok && reply.error.code !== 'E_CANCELLED') show(server);
  }

  return (action) => {
    switch (action.kind) {
      case 'open':
        return show();
      case 'quit':
        return app.quit();
      case 'show':
        return show(action.server);
      case 'unlock':
        return void run('unlockStore', undefined);
      case 'step':
        return void run(stepCommands[action.step], { server: action.server }, action.server);
    }
  };
}
