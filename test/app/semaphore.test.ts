import { expect, it } from 'vitest';
import { createSemaphore } from '../../electron/core/base/semaphore.ts';

it('a semaphore runs waiting tasks in order, even after a task fails', async () => {
  const semaphore = createSemaphore(1);
  const order: number[] = [];
  const tasks = [1, 2, 3].map((n) =>
    semaphore.run(async () => {
      order.push(n);
      if (n === 1) throw new Error('fails');
    }),
  );
  await Promise.allSettled(tasks);
  expect(order).toEqual([1, 2, 3]);
});
