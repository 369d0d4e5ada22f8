import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { tryNetworks } from '../../http/network.ts';
import { knownNetwork } from '../../servers/networks.ts';
import { startRun } from '../discovery/metadata.ts';
import { acceptedIssuers } from '../providers/presets.ts';
import { probeServer } from '../discovery/probe.ts';
import { findProtectedResource } from '../discovery/protected-resource.ts';
import type { RefreshResult } from './model.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { Server } from '../../servers/server.ts';

/** Short, because the call that got a 401 waits for this check. */
const checkTimeoutMs = 3_000;
/** The first failures of a refresh are usually temporary. */
const failuresBeforeCheck = 4;
const checkIntervalMs = 5 * 60_000;

/**
 * Returns an error when the MCP server no longer names the authorization server that the sign-in is from (DM33).
 * Returns undefined when it still does, or when its metadata cannot be read. Never throws.
 */
export async function movedFrom(
  { url, settings, networks }: Pick<Server, 'url' | 'settings' | 'networks'>,
  issuer: string,
  http: Http,
): Promise<AppError | undefined> {
  try {
    const server = new URL(url);
    const start = startRun(http, { origin: server.origin, own: 'public' }, checkTimeoutMs, undefined);
    const { network: allow, value: probe } = await tryNetworks(
      server.origin,
      knownNetwork({ networks }, server.origin),
      (network) => probeServer({ ...start, allow: network }, server),
    );
    const run = { ...start, allow };
    const challenge = probe.kind === 'challenged' ? probe.challenge : undefined;
    const resource = await findProtectedResource(run, server, challenge);
    if (resource.kind !== 'found') return undefined;
    const named = resource.metadata.authorization_servers;
    if (named.some((one) => acceptedIssuers(one, settings).some((accepted) => isSame(accepted, issuer))))
      return undefined;
    const [current, former] = [named[0], issuer].map((text) => sanitizeExternalText(text));
    return new AppError(
      'E_SIGN_IN_AGAIN',
      `The server now uses the authorization server ${current}, but this sign-in is from ${former}.`,
    );
  } catch {
    return undefined;
  }
}

/** Ignores a trailing slash: servers that added this metadata later often differ by one. */
const isSame = (one: string, other: string): boolean => one.replace(/\/$/, '') === other.replace(/\/$/, '');

type Ended = Extract<RefreshResult, { kind: 'ended' }>;

/**
 * Checks whether the MCP server uses another authorization server now, when its sign-in does not work and nothing else
 * explains it; at most once in five minutes.
 */
export interface MoveWatch {
  /** Call when a refresh has failed in a way that is usually temporary. */
  failed(): Promise<Ended | undefined>;
  /** Call when the server rejects a token that was renewed a moment ago. */
  refused(): Promise<Ended | undefined>;
  recovered(): void;
  stop(): void;
}

export function createMoveWatch(clock: Clock, moved: () => Promise<AppError | undefined>): MoveWatch {
  let failures = 0;
  let cancelPause: (() => void) | undefined;
  const refused = async (): Promise<Ended | undefined> => {
    if (cancelPause) return undefined;
    cancelPause = clock.after(checkIntervalMs, () => (cancelPause = undefined));
    const error = await moved();
    return error && { kind: 'ended', final: true, error };
  };
  return {
    refused,
    async failed() {
      failures += 1;
      return failures < failuresBeforeCheck ? undefined : refused();
    },
    recovered() {
      failures = 0;
    },
    stop() {
      cancelPause?.();
    },
  };
}
