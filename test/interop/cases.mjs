import { rm } from 'node:fs/promises';
import path from 'node:path';
import { startAuthorizationServer } from '../fixtures/authorization-server.ts';
import { until } from '../fixtures/wait.ts';
import { ensureNodePeers, placePrograms } from './cache.mjs';
import { startPeer } from './peer-process.mjs';

/** Something that this machine lacks; the message says what. */
export class Missing extends Error {}

/**
 * Each case starts one peer and gives what the main job needs of it (`Peer` in job.mjs). `keep(close)` names what has to end
 * afterwards, in reverse order.
 */
export const cases = [
  {
    id: 'mcp-auth 0.2.0, resource server',
    start: async ({ keep, log }) => {
      const as = await authorizationServer(keep, { accessTokens: 'jwt', accessTokenSeconds: shortSeconds });
      const peer = await nodePeer({ keep, log }, 'mcp-auth.mjs', [as.issuer]);
      return { url: peer.facts.url, ...expiryByClock(as) };
    },
  },
  {
    id: 'fastmcp (npm) 4.20.16, resource server',
    start: async ({ keep, log }) => {
      const as = await authorizationServer(keep, { accessTokens: 'opaque', accessTokenSeconds: 600 });
      const { clientId, clientSecret } = as.resourceServer;
      const env = { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
      const peer = await nodePeer({ keep, log }, 'fastmcp-resource-server.mjs', [as.issuer, as.introspectionEndpoint], env);
      return { url: peer.facts.url, expire: async () => as.revokeAccessTokens(), refreshes: async () => as.counts.refreshesGranted };
    },
  },
];

async function authorizationServer(keep, options) {
  const as = await startAuthorizationServer(options);
  keep(() => as.close());
  return as;
}

/** For peers that judge a token by itself: it lives for a few seconds, and its end is waited for. */
const shortSeconds = 6;
function expiryByClock(as) {
  return {
    refreshes: async () => as.counts.refreshesGranted,
    expire: async () => {
      const over = Date.now() + shortSeconds * 1_000;
      as.setAccessTokenSeconds(600);
      await until(() => Date.now() > over, 'the end of the access token', shortSeconds * 2_000);
    },
  };
}

/** @returns {ReturnType<typeof startPeer>} */
async function nodePeer({ keep, log }, program, args, env = {}) {
  const place = await placePrograms(await ensureNodePeers(log));
  keep(() => rm(place, { recursive: true, force: true }));
  const peer = await startPeer(process.execPath, [path.join(place, program), ...args], env);
  keep(() => peer.close());
  return peer;
}
