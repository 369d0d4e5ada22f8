import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/wait.ts';
import { azureVersion, startAzure } from './azure.mjs';
import { keycloakVersion, startKeycloak } from './keycloak.mjs';
import { startPeer } from './peer-process.mjs';
import { pythonFastmcp } from './python.mjs';

/** The lifetime of tokens for peers that check the expiry themselves. The job waits for it. */
const shortSeconds = 6;

/**
 * Each case starts one peer and gives what the main job needs of it (`Peer` in job.mjs), or a list for one job after
 * the other. `keep(close)` names what has to end afterwards, in reverse order; `fetched` gives what the cases share.
 * `onlyNamed`: why it runs only when a word names it. The longest comes first.
 */
export const cases = [
  {
    id: `Keycloak ${keycloakVersion}, before mcp-auth`,
    start: async (run) => {
      const port = await freePort();
      const seconds = 12;
      const keycloak = await startKeycloak({
        resource: `http://127.0.0.1:${port}/mcp`,
        accessTokenSeconds: seconds,
        log: run.log,
      });
      run.keep(() => keycloak.close());
      const peer = await nodePeer(run, 'mcp-auth.mjs', [keycloak.issuer, String(port)]);
      const job = { url: peer.facts.url, expire: () => after(seconds), refreshes: () => peer.order('refreshes') };
      const entered = { ...job, add: ['--client-id', 'keybridge'] };
      const registered = {
        ...job,
        add: ['--secret-file', `initialAccessToken=${await secretFile(run, await keycloak.initialAccessToken())}`],
      };
      return [entered, registered];
    },
  },
  {
    id: '@modelcontextprotocol/sdk 1.32.2, its own authorization server',
    start: async (run) => {
      const peer = await nodePeer(run, 'sdk-1.mjs', []);
      return { url: peer.facts.url, expire: () => peer.order('expire'), refreshes: () => peer.order('refreshes') };
    },
  },
  {
    id: '@modelcontextprotocol/server 2.4.0, resource server',
    start: async (run) => {
      const as = await authorizationServer(run, { accessTokens: 'opaque', accessTokenSeconds: 600 });
      const { clientId, clientSecret } = as.resourceServer;
      const peer = await nodePeer(run, 'sdk-2.mjs', [as.issuer, as.introspectionEndpoint], {
        CLIENT_ID: clientId,
        CLIENT_SECRET: clientSecret,
      });
      return {
        url: peer.facts.url,
        expire: async () => as.revokeAccessTokens(),
        refreshes: async () => as.counts.refreshesGranted,
      };
    },
  },
  {
    id: 'mcp-auth 0.2.0, resource server',
    start: async (run) => {
      const as = await authorizationServer(run, { accessTokens: 'jwt', accessTokenSeconds: shortSeconds });
      const peer = await nodePeer(run, 'mcp-auth.mjs', [as.issuer]);
      return { url: peer.facts.url, ...expiryByClock(as) };
    },
  },
  {
    id: 'fastmcp (npm) 4.20.16, resource server',
    start: async (run) => {
      const as = await authorizationServer(run, { accessTokens: 'opaque', accessTokenSeconds: 600 });
      const { clientId, clientSecret } = as.resourceServer;
      const env = { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
      const peer = await nodePeer(
        run,
        'fastmcp-resource-server.mjs',
        [as.issuer, as.introspectionEndpoint, String(await freePort())],
        env,
      );
      return {
        url: peer.facts.url,
        expire: async () => as.revokeAccessTokens(),
        refreshes: async () => as.counts.refreshesGranted,
      };
    },
  },
  {
    id: 'fastmcp (npm) 4.20.16, OAuth proxy',
    start: async (run) => {
      const { port, as, env } = await behindProxy(run, 'oauth/callback');
      const peer = await nodePeer(run, 'fastmcp-proxy.mjs', [as.issuer, String(port)], env);
      return { url: peer.facts.url, ...expiryByClock(as) };
    },
  },
  {
    id: '@cloudflare/workers-oauth-provider 1.2.3',
    start: async (run) => {
      const peer = await nodePeer(run, 'workers.mjs', []);
      return { url: peer.facts.url, expire: () => peer.order('expire'), refreshes: () => peer.order('refreshes') };
    },
  },
  {
    id: `fastmcp (PyPI) ${pythonFastmcp}, its own authorization server`,
    start: async (run) => {
      const peer = await pythonPeer(run, ['0', 'own']);
      return { url: peer.facts.url, expire: () => peer.order('expire'), refreshes: () => peer.order('refreshes') };
    },
  },
  {
    id: `fastmcp (PyPI) ${pythonFastmcp}, resource server`,
    start: async (run) => {
      const as = await authorizationServer(run, { accessTokens: 'jwt', accessTokenSeconds: shortSeconds });
      const peer = await pythonPeer(run, ['0', 'remote', as.issuer, as.jwksUri]);
      // It adds a trailing slash to an authorization server without a path, which the metadata does not have (RFC
      // 8414 3.3).
      const issuerException = JSON.stringify({ named: `${as.issuer}/`, found: as.issuer });
      return { url: peer.facts.url, add: ['--set', `issuerException=${issuerException}`], ...expiryByClock(as) };
    },
  },
  {
    id: `fastmcp (PyPI) ${pythonFastmcp}, OAuth proxy`,
    start: async (run) => {
      const { port, as, env } = await behindProxy(run, 'auth/callback', { accessTokens: 'jwt' });
      const peer = await pythonPeer(run, [String(port), 'proxy', as.issuer, as.jwksUri], env);
      return { url: peer.facts.url, ...expiryByClock(as) };
    },
  },
  {
    id: `@azure/mcp ${azureVersion}, HTTP mode, before a local issuer`,
    onlyNamed: '137 MB; it runs by: npm run test:interop -- azure',
    start: async (run) => {
      const peer = await startAzure({ accessTokenSeconds: shortSeconds, log: run.log });
      run.keep(() => peer.close());
      return { ...peer, expire: () => after(shortSeconds) };
    },
  },
];

/** Waits in real time, because the clock of a real server cannot be moved. */
function after(seconds) {
  const over = Date.now() + seconds * 1_000;
  return until(() => Date.now() > over, 'the end of the access token', seconds * 2_000);
}

async function authorizationServer({ keep }, options) {
  const as = await startAuthorizationServer(options);
  keep(() => as.close());
  return as;
}

/** An authorization server with one client: the proxy that will listen at `port`. */
async function behindProxy(run, callback, options = {}) {
  const port = await freePort();
  const client = {
    client_id: 'the-proxy',
    client_secret: randomBytes(24).toString('base64url'),
    redirect_uris: [`http://127.0.0.1:${port}/${callback}`],
  };
  const clients = [{ ...client, grant_types: ['authorization_code', 'refresh_token'] }];
  const as = await authorizationServer(run, { accessTokenSeconds: shortSeconds, clients, ...options });
  return { port, as, env: { CLIENT_ID: client.client_id, CLIENT_SECRET: client.client_secret } };
}

/** Writes a secret into a file that is deleted after the case. */
async function secretFile({ keep }, text) {
  const place = await mkdtemp(path.join(os.tmpdir(), 'keybridge-secret-'));
  keep(() => rm(place, { recursive: true, force: true }));
  const file = path.join(place, 'secret');
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

function expiryByClock(as) {
  return {
    refreshes: async () => as.counts.refreshesGranted,
    expire: async () => {
      as.setAccessTokenSeconds(600);
      await after(shortSeconds);
    },
  };
}

/** @returns {ReturnType<typeof startPeer>} */
async function nodePeer({ keep, fetched }, program, args, env = {}) {
  const place = await fetched.npm();
  const peer = await startPeer(process.execPath, [path.join(place, program), ...args], env);
  keep(() => peer.close());
  return peer;
}

async function pythonPeer({ keep, fetched }, args, env = {}) {
  const python = await fetched.python();
  const peer = await startPeer(python, [path.join(import.meta.dirname, 'peers', 'fastmcp_server.py'), ...args], {
    ...env,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  keep(() => peer.close());
  return peer;
}
