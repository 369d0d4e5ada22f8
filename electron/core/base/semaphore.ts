/** Runs at most `count` tasks at once. The others wait, first in, first out. */
export interface Semaphore {
  run<Value>(task: () => Promise<Value>): Promise<Value>;
}

export function createSemaphore(count: number): Semaphore {
  const queue: (() => void)[] = [];
  let free = count;
  return {
    async run(task) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => queue.push(resolve));
      try {
        return await task();
      } finally {
        // Pass the slot on directly, so that no new task can take it before the next in the queue.
        const next = queue.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}
