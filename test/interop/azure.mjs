import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ensurePackages } from '../../scripts/cache.mjs';
import { until } from '../fixtures/wait.ts';
import { startAzureIssuer } from './azure-issuer.mjs';
import { Missing, notFetched } from './missing.mjs';
import { freePort } from '../fixtures/free-port.ts';

export const azureVersion = '2.0.5';

/**
 * Azure's MCP server in HTTP mode, which trusts a local issuer in place of Microsoft Entra ID.
 * @returns {Promise<import('./job.mjs').Peer & { close: () => Promise<void> }>} Throws Missing if there is none
 *   for this system.
 */
export async function startAzure({ accessTokenSeconds, log }) {
  const source = path.join(import.meta.dirname, 'azure');
  const folder = await ensurePackages('interop-azure', source, () =>
    log(`Fetching @azure/mcp ${azureVersion} (once, 137 MB) ...`),
  ).catch(notFetched('@azure/mcp'));
  const program = path.join(
    folder,
    'node_modules',
    '@azure',
    `mcp-${process.platform}-${process.arch}`,
    'dist',
    process.platform === 'win32' ? 'azmcp.exe' : 'azmcp',
  );
  if (!existsSync(program)) throw new Missing(`there is no @azure/mcp for ${process.platform}-${process.arch}`);

  const issuer = await startAzureIssuer({ accessTokenSeconds });
  const home = await mkdtemp(path.join(os.tmpdir(), 'keybridge-azure-'));
  const caFile = path.join(home, 'ca.pem');
  await writeFile(caFile, issuer.cert);
  const url = `http://127.0.0.1:${await freePort()}/`;
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    ASPNETCORE_URLS: url,
    AzureAd__Instance: `${new URL(issuer.issuer).origin}/`,
    AzureAd__TenantId: issuer.tenant,
    AzureAd__ClientId: issuer.serverClientId,
    // Without the user's environment and a browser, because it looks for Azure credentials in many places.
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    AZURE_MCP_COLLECT_TELEMETRY: 'false',
    SSL_CERT_FILE: caFile,
  };
  const server = runServer(program, env, home);
  const close = async () => {
    await server.close();
    await issuer.close();
  };
  const answers = () =>
    fetch(`${url}.well-known/oauth-protected-resource`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await until(async () => server.over() || (await answers()), 'the start of @azure/mcp', 60_000);
    if (server.over()) throw new Error(`@azure/mcp ended: ${server.lastWords()}`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    caFile,
    add: [
      '--client-id',
      issuer.clientId,
      '--set',
      'preset=entra-id',
      '--set',
      `caFile=${caFile}`,
      '--set',
      `caOrigins=${JSON.stringify([new URL(issuer.issuer).origin])}`,
    ],
    // Works without Azure: it lists what it could do.
    call: () => ({
      tool: 'get_azure_bestpractices',
      input: { intent: 'say what you can do', learn: true },
      shows: 'get_azure_bestpractices_get',
    }),
    refreshes: async () => issuer.counts.refreshes,
    close,
  };
}

/** Killed with its process group, even when this program ends, because it ignores the end of its stdin. */
function runServer(program, env, home) {
  const child = spawn(
    program,
    ['server', 'start', '--transport', 'http', '--outgoing-auth-strategy', 'UseHostingEnvironmentIdentity'],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => (text = (text + chunk).slice(-3_000)));
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve((text += error.message)));
    child.once('close', resolve);
  }).then(() => (over = true));
  const kill = () => {
    child.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', kill);
  return {
    over: () => over,
    lastWords: () => text.trim().split('\n').slice(-5).join(' '),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      process.off('exit', kill);
      kill();
    },
  };
}
