/** Runs at most `count` tasks at once; the others wait in the order in which they came. With 1: one after the other. */
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
        // The slot goes straight to the next in line, so that nobody can jump the queue.
        const next = queue.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}
