import type { Dispatcher } from 'undici';

/** After this many chunks, other connections get a turn of the event loop. */
const chunksPerTurn = 2_048;

/** Pauses a response while its reader is behind, or while other connections have their turn. */
export interface FlowControl {
  attach(controller: Dispatcher.DispatchController): void;
  setReaderPaused(paused: boolean): void;
  chunkReceived(): void;
}

export function createFlowControl(): FlowControl {
  let controller: Dispatcher.DispatchController | undefined;
  let chunks = 0;
  let readerPaused = false;
  let yielding = false;
  const apply = () => {
    if (readerPaused || yielding) controller?.pause();
    else controller?.resume();
  };
  const setYielding = (value: boolean) => {
    yielding = value;
    apply();
  };
  return {
    attach(started) {
      controller = started;
    },
    setReaderPaused(paused) {
      readerPaused = paused;
      apply();
    },
    chunkReceived() {
      chunks += 1;
      if (chunks % chunksPerTurn !== 0) return;
      setYielding(true);
      setImmediate(() => setYielding(false));
    },
  };
}
