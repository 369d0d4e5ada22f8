import { contextBridge, ipcRenderer } from 'electron';
import { callChannel, statusChannel } from '../shared/channels.ts';

async function current(): Promise<unknown> {
  const reply = (await ipcRenderer.invoke(callChannel, 'status')) as { ok: boolean; value?: unknown };
  return reply.ok ? reply.value : undefined;
}

/** All that the page gets: commands in, status out. No channel name, event or Electron object reaches it. */
contextBridge.exposeInMainWorld('keybridge', {
  call: (name: unknown, input: unknown): Promise<unknown> => ipcRenderer.invoke(callChannel, name, input),

  onStatus(listener: (status: unknown) => void): () => void {
    let pushed = false;
    const receive = (_event: unknown, status: unknown) => {
      pushed = true;
      listener(status);
    };
    ipcRenderer.on(statusChannel, receive);
    // The state as it is now. A change that was pushed meanwhile is newer.
    void current().then((status) => {
      if (status !== undefined && !pushed) listener(status);
      return undefined;
    });
    return () => void ipcRenderer.off(statusChannel, receive);
  },
});
