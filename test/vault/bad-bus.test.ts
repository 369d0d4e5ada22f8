import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../electron/core/vault/secret-service/dbus-message.ts';
import { createSecretService } from '../../electron/core/vault/secret-service/secret-service.ts';

describe.skipIf(process.platform === 'win32')('a bus that misbehaves', () => {
  it.each([
    ['rejects the user', 'REJECTED EXTERNAL\r\n'],
    ['sends garbage after the authentication', `OK 1234\r\n${'\u0001'.repeat(64)}`],
    [
      'announces 2 GB',
      'OK 1234\r\nl\u0002\u0001\u0001\u007f\u007f\u007f\u007f\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000',
    ],
    ['closes the connection', ''],
  ])('counts as no bus if it %s', async (_what, bytes) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bus-'));
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (bytes === '' ? socket.destroy() : socket.write(Buffer.from(bytes, 'latin1'))));
    });
    try {
      const socket = path.join(folder, 'bus');
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      const secretService = createSecretService(`unix:path=${socket},guid=1`);
      expect(await secretService.state()).toMatchObject({ kind: 'no_bus' });
      expect(await secretService.state()).toMatchObject({ kind: 'no_bus' });
      secretService.close();
    } finally {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('cannot crash or block the reader with random bytes, which are decoded or rejected', () => {
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = randomBytes(16 + (round % 200));
      bytes.set([0x6c, 2, 0, 1]);
      bytes.writeUInt32LE(round % 64, 12);
      try {
        decodeMessage(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});
