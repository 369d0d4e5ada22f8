import { afterEach, expect, it } from 'vitest';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { rows } from '../fixtures/behaviour/rows.ts';
import { createWorlds } from '../fixtures/behaviour/worlds.ts';
import { bareMachine, browserProgram } from '../fixtures/command-line.ts';
import { textOf } from '../fixtures/host.ts';
import { startKeyring } from '../fixtures/keyring.ts';
import { startMcpServer } from '../fixtures/mcp-server.ts';
import { textsIn } from '../fixtures/texts-in.ts';

const worlds = createWorlds();
afterEach(worlds.close);

it.runIf(process.platform === 'linux')(
  rows.tokenStore,
  async () => {
    const as = worlds.later(await startAuthorizationServer());
    const mcp = worlds.later(await startMcpServer({ authorizationServer: as }));
    const keyring = await startKeyring();
    worlds.later({ close: () => keyring.stop() });
    const machine = worlds.later(await bareMachine());
    await machine.serve([], {
      KEYBRIDGE_STORE: 'keychain',
      KEYBRIDGE_KEYCHAIN_DBUS: keyring.address,
      BROWSER: browserProgram,
    });
    await machine.run(['add', mcp.url, '--name', 'work']);
    expect(await machine.run(['login', 'work'], { BROWSER: browserProgram })).toMatchObject({ code: 0 });
    const host = machine.connect('work');
    await host.initialize();
    expect(textOf(await host.call('echo', { text: 'kept' }))).toBe('kept');

    const { refresh } = as.issuedTokens();
    const items = [...(await keyring.items('Keybridge')).values()].join('\n');
    expect(refresh).toHaveLength(1);
    expect(items).toContain(refresh[0]);
    const files = await textsIn(machine.dataDir);
    expect(files.length).toBeGreaterThan(2);
    const readable = [...files, ...machine.traces, ...host.lines].join('\n');
    expect(as.secrets().filter((secret) => readable.includes(secret))).toEqual([]);
  },
  60_000,
);
