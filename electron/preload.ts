import { contextBridge, ipcRenderer } from 'electron';
import { callChannel, statusChannel } from '../shared/channels.ts';

async function current(): Promise<unknown> {
  const reply = (await ipcRenderer.invoke(callChannel, 'status')) as { ok: boolean; value?: unknown };
  return reply.ok ? reply.value : undefined;
}

/** All that the page can use: commands and the status. It gets no channel name, event or Electron object. */
contextBridge.exposeInMainWorld('keybridge', {
  call: (name: unknown, input: unknown): Promise<unknown> => ipcRenderer.invoke(callChannel, name, input),

  onStatus(listener: (status: unknown) => void): () => void {
    let pushed = false;
    const receive = (_event: unknown, status: unknown) => {
      pushed = true;
      listener(status);
    };
    ipcRenderer.on(statusChannel, receive);
    // The current status, unless a newer one was pushed in the meantime.
    void current().then((status) => {
      if (status !== undefined && !pushed) listener(status);
      return undefined;
    });
    return () => void ipcRenderer.off(statusChannel, receive);
  },
});
