import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tomlString } from '../../electron/core/hosts/quoting.ts';
import { hostSnippets } from '../../electron/core/hosts/snippets.ts';
import { HostSnippet } from '../../shared/model.ts';

const plainCommand = ['/usr/bin/keybridge', 'connect'] as const;
const hardCommand = [`C:\\Program Files\\It's "Key" $HOME %X%\\keybridge.exe`, 'connect', '--flag=a b'] as const;
const hardEnv = { KEYBRIDGE_DATA_DIR: `C:\\Users\\A'da\\"data" $(id)\u007f` };

const snippet = (host: string, ...args: Parameters<typeof hostSnippets>) => {
  const found = hostSnippets(...args).find((one) => one.host === host);
  if (!found) throw new Error(`no snippet for ${host}`);
  return found;
};
const json = (host: string, ...args: Parameters<typeof hostSnippets>): unknown =>
  JSON.parse(snippet(host, ...args).text);

describe('snippets for MCP hosts', () => {
  it('match the schema, with one per host, on every system', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const all = hostSnippets('linear', plainCommand, {}, platform);
      for (const one of all) expect(HostSnippet.parse(one)).toEqual(one);
      expect(new Set(all.map(({ host }) => host)).size).toBe(all.length);
    }
    const hosts = hostSnippets('linear', plainCommand, {}).map(({ host }) => host);
    expect(hosts).toEqual(
      expect.arrayContaining([
        'claude-desktop',
        'claude-code',
        'cursor',
        'vscode',
        'codex',
        'gemini-cli',
        'windsurf',
        'zed',
        'cline',
        'lm-studio',
      ]),
    );
  });

  it('start the bridge for the server, without environment for the default data folder', () => {
    const entry = { command: '/usr/bin/keybridge', args: ['connect', 'linear'] };
    expect(json('claude-desktop', 'linear', plainCommand, {})).toEqual({ mcpServers: { linear: entry } });
    expect(json('cursor', 'linear', plainCommand, {})).toEqual({ mcpServers: { linear: entry } });
    expect(json('vscode', 'linear', plainCommand, {})).toEqual({ servers: { linear: { type: 'stdio', ...entry } } });
    expect(json('zed', 'linear', plainCommand, {})).toEqual({ context_servers: { linear: entry } });
    expect(snippet('codex', 'linear', plainCommand, {}).text).toBe(
      '[mcp_servers.linear]\ncommand = "/usr/bin/keybridge"\nargs = ["connect", "linear"]',
    );
    expect(snippet('claude-code', 'linear', plainCommand, {}, 'linux').text).toBe(
      'claude mcp add-json --scope user linear ' +
        `'{"type":"stdio","command":"/usr/bin/keybridge","args":["connect","linear"]}'`,
    );
  });

  it('set the data folder if it is not the default one', () => {
    const env = { KEYBRIDGE_DATA_DIR: '/data' };
    expect(json('gemini-cli', 'linear', plainCommand, env)).toMatchObject({ mcpServers: { linear: { env } } });
    expect(json('opencode', 'linear', plainCommand, env)).toMatchObject({ mcp: { linear: { environment: env } } });
    expect(snippet('codex', 'linear', plainCommand, env).text).toContain('env = { KEYBRIDGE_DATA_DIR = "/data" }');
  });

  it('CF11: preserve spaces, quotes, backslashes and dollar signs in JSON', () => {
    expect(json('windsurf', 'linear', hardCommand, hardEnv)).toEqual({
      mcpServers: { linear: { command: hardCommand[0], args: ['connect', '--flag=a b', 'linear'], env: hardEnv } },
    });
  });

  it('CF11: pass the Claude Code entry through a shell unchanged', () => {
    const { text } = snippet('claude-code', 'linear', hardCommand, hardEnv, 'darwin');
    const printArguments = `claude() { for argument; do printf '%s\\0' "$argument"; done; }; ${text}`;
    const [, , , , name, entry] = execFileSync('/bin/sh', ['-c', printArguments], { encoding: 'utf8' }).split('\0');
    expect(name).toBe('linear');
    expect(JSON.parse(entry ?? '')).toEqual({
      type: 'stdio',
      command: hardCommand[0],
      args: ['connect', '--flag=a b', 'linear'],
      env: hardEnv,
    });
  });

  it('escape every character that TOML strings must not contain', () => {
    expect(tomlString('C:\\a "b"\n\t\u0001\u007f')).toBe(String.raw`"C:\\a \"b\"\n\t\u0001\u007F"`);
    const { text } = snippet('codex', 'linear', hardCommand, hardEnv);
    expect(text).toContain(String.raw`command = "C:\\Program Files\\It's \"Key\" $HOME %X%\\keybridge.exe"`);
  });

  it('replace a dot in the server’s name in the host’s key, but not in the bridge’s argument', () => {
    expect(json('claude-desktop', 'my.server', plainCommand, {})).toEqual({
      mcpServers: { 'my-server': { command: '/usr/bin/keybridge', args: ['connect', 'my.server'] } },
    });
    expect(snippet('codex', 'my.server', plainCommand, {}).text).toContain('[mcp_servers.my-server]');
  });

  it('name the place of the configuration on each system', () => {
    const place = (host: string, platform: NodeJS.Platform) =>
      snippet(host, 'linear', plainCommand, {}, platform).place;
    expect(place('claude-desktop', 'darwin')).toBe('~/Library/Application Support/Claude/claude_desktop_config.json');
    expect(place('claude-desktop', 'win32')).toBe('%APPDATA%\\Claude\\claude_desktop_config.json');
    expect(place('vscode', 'linux')).toBe('~/.config/Code/User/mcp.json');
    expect(place('codex', 'win32')).toBe('%USERPROFILE%\\.codex\\config.toml');
    expect(place('claude-code', 'linux')).toBe('Run in a terminal');
    expect(snippet('claude-code', 'linear', plainCommand, {}, 'win32').language).toBe('json');
  });
});
