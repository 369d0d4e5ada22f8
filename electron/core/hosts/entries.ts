import { shellQuote, tomlKey, tomlString } from './quoting.ts';

/** How a host starts the bridge. Each kind of snippet writes this in its own format. */
export interface BridgeStart {
  /** The name of the server in the host: letters, digits, `-` and `_`, which every host accepts. */
  readonly key: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Empty for the default data folder. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SnippetText {
  readonly language: 'json' | 'toml' | 'shell';
  readonly text: string;
}

const json = (value: unknown): SnippetText => ({ language: 'json', text: JSON.stringify(value, undefined, 2) });

const withEnv = ({ env }: BridgeStart, name = 'env') => (Object.keys(env).length > 0 ? { [name]: env } : {});

const plain = (start: BridgeStart) => ({ command: start.command, args: start.args, ...withEnv(start) });

/** The entry of most hosts: a map of servers under one root key. `extra` comes before the command. */
export function jsonEntry(
  root: string,
  extra: Readonly<Record<string, unknown>> = {},
): (start: BridgeStart) => SnippetText {
  return (start) => json({ [root]: { [start.key]: { ...extra, ...plain(start) } } });
}

/** The entry of opencode: command and arguments in one array, and another key for the environment. */
export function opencodeEntry(start: BridgeStart): SnippetText {
  const entry = {
    type: 'local',
    command: [start.command, ...start.args],
    ...withEnv(start, 'environment'),
    enabled: true,
  };
  return json({ mcp: { [start.key]: entry } });
}

/** The entry of Codex, in TOML. */
export function codexEntry(start: BridgeStart): SnippetText {
  const lines = [
    `[mcp_servers.${tomlKey(start.key)}]`,
    `command = ${tomlString(start.command)}`,
    `args = [${start.args.map(tomlString).join(', ')}]`,
  ];
  const env = Object.entries(start.env).map(([name, value]) => `${tomlKey(name)} = ${tomlString(value)}`);
  if (env.length > 0) lines.push(`env = { ${env.join(', ')} }`);
  return { language: 'toml', text: lines.join('\n') };
}

/** A POSIX command with which Claude Code adds the server for all projects of this user. */
export function claudeCodeCommand(start: BridgeStart): SnippetText {
  const entry = JSON.stringify({ type: 'stdio', ...plain(start) });
  return { language: 'shell', text: `claude mcp add-json --scope user ${shellQuote(start.key)} ${shellQuote(entry)}` };
}
