import { afterEach, describe, expect, it } from 'vitest';
import { namesFor } from '../../electron/core/servers/name.ts';
import { trayModel } from '../../electron/desktop/tray/tray-model.ts';
import { displayName, nameWithAccount } from '../../shared/server-state.ts';
import { createFakeStore } from '../fixtures/fake-store.ts';
import { startProduct } from '../fixtures/product.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const url = new URL('https://mcp.linear.app/sse');

describe('the name of a server', () => {
  it.each([
    ['work', { name: 'work' }],
    ['Büro Wiki', { name: 'buro-wiki', title: 'Büro Wiki' }],
    ['My Server (prod)', { name: 'my-server-prod', title: 'My Server (prod)' }],
    ['!!! 会議室', { name: 'linear', title: '!!! 会議室' }],
    ['--help', { name: 'help', title: '--help' }],
    ['Work\u202e\u0007 mail', { name: 'work-mail', title: 'Work mail' }],
  ])('is made from "%s" so that it can be typed and used in a host’s configuration', (wanted, made) => {
    expect(namesFor(wanted, url, () => false)).toEqual(made);
  });

  it('gets a number if it is taken', () => {
    expect(namesFor('Work!', url, (name) => name === 'work').name).toBe('work-2');
  });

  it('is used by hosts, while the title is shown; both find the server', async () => {
    const product = await startProduct({ store: createFakeStore() });
    closing.push(() => product.close());
    const added = await product.call('addServer', { url: 'https://work.example/mcp', name: 'Büro Wiki' });
    expect([added.name, added.title, displayName(added), nameWithAccount(added)]).toEqual([
      'buro-wiki',
      'Büro Wiki',
      'Büro Wiki',
      'Büro Wiki',
    ]);
    for (const server of ['buro-wiki', 'Büro Wiki', added.id])
      expect((await product.call('serverDetail', { server })).status.name).toBe('buro-wiki');
    expect(JSON.stringify(trayModel(product.app.status.current(), 0).items)).toContain('Büro Wiki: ');
    const [snippet] = await product.call('hostSnippets', { server: 'Büro Wiki' });
    expect(snippet?.text).toContain('buro-wiki');
    expect(snippet?.text).not.toContain('Wiki');
    const again = await product.call('addServer', { url: 'https://other.example/mcp', name: 'Büro Wiki' });
    expect(again.name).toBe('buro-wiki-2');
  });
});
