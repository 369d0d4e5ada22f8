import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { AuthorizationServer } from '../fixtures/authorization-server.ts';
import type { RunningMcpServer } from '../fixtures/mcp-server.ts';
import { call, until } from './desktop-app.ts';
import type { Ending } from './ending.ts';
import { storedSecrets } from './keychain.ts';

export interface DriveOptions {
  readonly print: (line: string) => void;
  readonly dataDir: string;
  readonly env: Record<string, string | undefined>;
  readonly authorizationServer: AuthorizationServer;
  readonly mcpServer: RunningMcpServer;
}

function assertThat(what: string, happened: boolean): void {
  if (!happened) throw new Error(`${what} did not happen`);
}

/** Runs the main job from discovery to revocation. Prints each line only after it has been checked. */
export async function driveDemo(
  { print, dataDir, env, authorizationServer: as, mcpServer }: DriveOptions,
  { atEnd, signal }: Ending,
): Promise<void> {
  const found = await call(dataDir, 'discover', { url: mcpServer.url });
  assertThat('discovery', found.needsSignIn && found.issuer === as.issuer);
  print(`discovered      ${found.summary}`);

  await call(dataDir, 'addServer', { url: mcpServer.url, name: 'demo' });
  const signedIn = await within('the sign-in in the browser', call(dataDir, 'signIn', { server: 'demo' }), 60_000);
  const firstTokenAt = Date.now();
  assertThat('registration', as.counts.registrations === 1);
  const detail = await call(dataDir, 'serverDetail', { server: 'demo' });
  print(`registered      as ${detail.clientId} (RFC 7591), redirect ${detail.redirectUri}`);
  assertThat('sign-in', signedIn.state.kind === 'signed_in' && as.counts.codeExchangesGranted === 1);
  print(`signed in       ${signedIn.identity ? `as ${signedIn.identity}, ` : ''}through the browser with PKCE`);

  const { store } = await call(dataDir, 'status', undefined);
  const kept = await storedSecrets(dataDir, env);
  const issued = as.issuedTokens();
  assertThat(
    'storing the refresh token',
    issued.refresh.some((token) => kept.includes(token)),
  );
  assertThat('keeping the access token out of the keychain', !issued.access.some((token) => kept.includes(token)));
  print(`refresh token   stored in ${store.label}; no access token there`);

  const host = new Client({ name: 'demo-host', version: '1' });
  const transport = new StdioClientTransport({ ...(await bridgeCommand(dataDir)), stderr: 'ignore' });
  await atEnd(() => host.close());
  await host.connect(transport);
  print(`bridge          started by an MCP host: ${host.getServerVersion()?.name} responded to initialize`);
  await callEcho(host, 'first call');
  assertThat('the tool call', mcpServer.counts.toolRuns === 1);
  print('tool called     echo responded through the bridge');

  const refused = mcpServer.counts.unauthorized;
  print('waiting         for the access token to expire (60 s) ...');
  await until('the refresh', () => as.counts.refreshesGranted >= 1, { limitMs: 70_000, signal });
  assertThat('the refresh ahead of expiry', Date.now() < firstTokenAt + 59_000);
  await until('the expiry', () => Date.now() > firstTokenAt + 61_000, { limitMs: 70_000, signal });
  assertThat('waiting without a refusal', mcpServer.counts.unauthorized === refused);
  assertThat('the expiry of the first access token', (await statusWith(mcpServer.url, issued.access[0])) === 401);
  print('token expired   the server rejects the first one');
  assertThat('exactly one refresh', as.counts.refreshes === 1 && as.counts.refreshesGranted === 1);
  print('refreshed once  ahead of expiry, new refresh token stored first');
  const refusedNow = mcpServer.counts.unauthorized;
  await callEcho(host, 'second call');
  assertThat(
    'the second call without a refusal',
    mcpServer.counts.toolRuns === 2 && mcpServer.counts.unauthorized === refusedNow,
  );
  print('tool called     again; the server rejected no request of the app');
  await host.close();

  const report = await call(dataDir, 'signOut', { server: 'demo' });
  assertThat('the revocation', report.revoked === 'confirmed' && as.counts.revocations > 0);
  const left = await storedSecrets(dataDir, env);
  assertThat(
    'deleting the refresh token',
    report.deleted && !as.issuedTokens().refresh.some((token) => left.includes(token)),
  );
  print('signed out      revoked at the authorization server (RFC 7009), deleted from the keychain');
}

async function callEcho(host: Client, text: string): Promise<void> {
  const result = await host.callTool({ name: 'echo', arguments: { text } });
  assertThat('the echo', JSON.stringify(result.content).includes(text));
}

/** Rejects after `limitMs`, because this browser needs no time to type, unlike a user. */
async function within<Value>(what: string, job: Promise<Value>, limitMs: number): Promise<Value> {
  const over = new AbortController();
  const late = pause(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what}: not within ${limitMs / 1000} s`);
  });
  try {
    return await Promise.race([job, late]);
  } finally {
    late.catch(() => {});
    over.abort();
  }
}

/** Returns the status of the server's response to a request with this access token. */
async function statusWith(url: string, token = ''): Promise<number> {
  const headers = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
  };
  const response = await fetch(url, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  await response.body?.cancel();
  return response.status;
}

/** Reads command and arguments from the snippet that the window shows for Claude Desktop. */
async function bridgeCommand(
  dataDir: string,
): Promise<{ command: string; args: string[]; env: Record<string, string> }> {
  const snippets = await call(dataDir, 'hostSnippets', { server: 'demo' });
  const snippet = snippets.find(({ language }) => language === 'json');
  const parsed = JSON.parse(snippet?.text ?? '{}') as {
    mcpServers?: Record<string, { command: string; args: string[]; env?: Record<string, string> }>;
  };
  const entry = parsed.mcpServers?.['demo'];
  if (!entry) throw new Error('The snippet for the host has no entry.');
  return {
    command: entry.command,
    args: entry.args,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...entry.env },
  };
}
