import { describe, expect, it } from 'vitest';
import { createLineSplitter } from '../../shared/lines.ts';
import { rounds, seed } from '../fixtures/fuzz.ts';
import { chunked, damaged } from '../fixtures/random.ts';

describe(`the line splitter under random damage, seed ${seed}`, () => {
  it('splits lines independently of their chunks, and keeps only the ends of a line that is too long', async () => {
    const good = '{"id":1,"method":"a"}\n\n  {"id":2}\r\n\ufeff{"id":3}\nlast without an end';
    const read = (pieces: readonly Buffer[], maxBytes: number): string => {
      const seen: string[] = [];
      const splitter = createLineSplitter<Buffer>({
        maxBytes,
        concat: (parts, length) => Buffer.concat(parts, length),
        onLine: (line) => void seen.push(line.toString('latin1')),
        onTooLong: (head, tail) =>
          void seen.push(
            `too long ${tail.toString('latin1').slice(-10)}${head.length > 70_000 ? 'much was kept' : ''}`,
          ),
      });
      for (const piece of pieces) splitter.push(piece);
      return JSON.stringify(seen);
    };
    await rounds(3_000, (random) => {
      const bytes = Buffer.from(damaged(random, good));
      for (const cap of [15, 100_000]) expect(read(chunked(random, bytes), cap)).toBe(read([bytes], cap));
      expect(read([bytes], 15)).not.toContain('much was kept');
    });
  });
});
