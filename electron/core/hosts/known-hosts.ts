import {
  claudeCodeCommand,
  codexEntry,
  jsonEntry,
  opencodeEntry,
  type BridgeStart,
  type SnippetText,
} from './entries.ts';
import { hostMessages } from '../../../shared/messages/en/hosts.ts';
import { translator } from '../../../shared/messages/translator.ts';

const { t } = translator(hostMessages);

/** Where a host's configuration is, by Node's platform name. `other` is for Linux and the rest. */
export interface Places {
  readonly darwin: string;
  readonly win32: string;
  readonly other: string;
}

/** One host app, as data. */
export interface KnownHost {
  readonly host: string;
  readonly title: string;
  readonly places: Places;
  readonly write: (start: BridgeStart) => SnippetText;
  /** The snippet on Windows, if it differs. */
  readonly writeOnWindows?: (start: BridgeStart) => SnippetText;
}

const everywhere = (place: string): Places => ({ darwin: place, win32: place, other: place });

/** The same path in the home folder on every system. */
const atHome = (file: string): Places => ({
  darwin: `~/${file}`,
  win32: `%USERPROFILE%\\${file.replaceAll('/', '\\')}`,
  other: `~/${file}`,
});

/**
 * The hosts with a snippet, in the order in which they are offered. Source: the documentation of each host.
 */
export const knownHosts: readonly KnownHost[] = [
  {
    host: 'claude-desktop',
    title: 'Claude Desktop',
    places: {
      darwin: '~/Library/Application Support/Claude/claude_desktop_config.json',
      win32: '%APPDATA%\\Claude\\claude_desktop_config.json',
      other: '~/.config/Claude/claude_desktop_config.json',
    },
    write: jsonEntry('mcpServers'),
  },
  {
    host: 'claude-code',
    title: 'Claude Code',
    // Some Windows shells break a JSON argument, so on Windows the entry goes into the file.
    places: { darwin: t('hosts.terminal'), win32: '%USERPROFILE%\\.claude.json', other: t('hosts.terminal') },
    write: claudeCodeCommand,
    writeOnWindows: jsonEntry('mcpServers', { type: 'stdio' }),
  },
  { host: 'cursor', title: 'Cursor', places: atHome('.cursor/mcp.json'), write: jsonEntry('mcpServers') },
  {
    host: 'vscode',
    title: 'VS Code',
    places: {
      darwin: '~/Library/Application Support/Code/User/mcp.json',
      win32: '%APPDATA%\\Code\\User\\mcp.json',
      other: '~/.config/Code/User/mcp.json',
    },
    write: jsonEntry('servers', { type: 'stdio' }),
  },
  { host: 'codex', title: 'Codex', places: atHome('.codex/config.toml'), write: codexEntry },
  { host: 'gemini-cli', title: 'Gemini CLI', places: atHome('.gemini/settings.json'), write: jsonEntry('mcpServers') },
  {
    host: 'copilot-cli',
    title: 'GitHub Copilot CLI',
    places: atHome('.copilot/mcp-config.json'),
    write: jsonEntry('mcpServers', { type: 'local', tools: ['*'] }),
  },
  {
    host: 'windsurf',
    title: 'Windsurf',
    places: atHome('.codeium/windsurf/mcp_config.json'),
    write: jsonEntry('mcpServers'),
  },
  {
    host: 'zed',
    title: 'Zed',
    places: { ...atHome('.config/zed/settings.json'), win32: '%APPDATA%\\Zed\\settings.json' },
    write: jsonEntry('context_servers'),
  },
  {
    host: 'cline',
    title: 'Cline',
    places: atHome('.cline/data/settings/cline_mcp_settings.json'),
    write: jsonEntry('mcpServers'),
  },
  { host: 'lm-studio', title: 'LM Studio', places: atHome('.lmstudio/mcp.json'), write: jsonEntry('mcpServers') },
  { host: 'opencode', title: 'opencode', places: atHome('.config/opencode/opencode.json'), write: opencodeEntry },
  { host: 'kiro', title: 'Kiro', places: atHome('.kiro/settings/mcp.json'), write: jsonEntry('mcpServers') },
  { host: 'junie', title: 'JetBrains Junie', places: atHome('.junie/mcp/mcp.json'), write: jsonEntry('mcpServers') },
  { host: 'other', title: t('hosts.other'), places: everywhere(t('hosts.otherPlace')), write: jsonEntry('mcpServers') },
];
