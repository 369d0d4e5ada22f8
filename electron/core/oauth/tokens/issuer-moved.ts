import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { tryNetworks } from '../../http/network.ts';
import { knownNetwork } from '../../servers/networks.ts';
import { startRun } from '../discovery/metadata.ts';
import { acceptedIssuers } from '../providers/presets.ts';
import { askServer } from '../discovery/probe.ts';
import { findProtectedResource } from '../discovery/protected-resource.ts';
import type { RefreshResult } from './model.ts';
import type { Clock } from '../../base/clock.ts';
import type { Http } from '../../http/http.ts';
import type { Server } from '../../servers/server.ts';

/** While it goes on nothing else does; a server that is well answers in a moment. */
const lookMs = 3_000;
/** The first failures of a refresh pass; what lasts may have this reason. */
const patience = 4;
const againMs = 5 * 60_000;

/**
 * Why a sign-in that nobody has ended is no good any more: the MCP server names other authorization servers than the
 * one that it is from (DM33). Undefined: the server says nothing like that, or nothing at all. Never throws.
 */
export async function movedFrom(
  { url, settings, networks }: Pick<Server, 'url' | 'settings' | 'networks'>,
  issuer: string,
  http: Http,
): Promise<AppError | undefined> {
  try {
    const server = new URL(url);
    const start = startRun(http, { origin: server.origin, own: 'public' }, lookMs, undefined);
    const { network: allow, value: asked } = await tryNetworks(
      server.origin,
      knownNetwork({ networks }, server.origin),
      (network) => askServer({ ...start, allow: network }, server),
    );
    const run = { ...start, allow };
    const found = await findProtectedResource(run, server, asked.kind === 'challenged' ? asked.challenge : undefined);
    if (found.kind !== 'found') return undefined;
    const named = found.metadata.authorization_servers;
    if (named.some((one) => acceptedIssuers(one, settings).some((accepted) => isSame(accepted, issuer))))
      return undefined;
    return new AppError(
      'E_SIGN_IN_AGAIN',
      `The server now signs people in at ${sanitizeExternalText(named[0])}; this sign-in is from ${sanitizeExternalText(issuer)}.`,
    );
  } catch {
    return undefined;
  }
}

/** A trailing-slash difference is the same issuer: servers without this metadata began to have it that way. */
const isSame = (one: string, other: string): boolean => one.replace(/\/$/, '') === other.replace(/\/$/, '');

type Ended = Extract<RefreshResult, { kind: 'ended' }>;

/**
 * Looks whether a server has moved, when its sign-in does not work and nothing else explains it; at most once in five
 * minutes.
 */
export interface MoveWatch {
  /** A refresh has failed, as passing faults make it fail. */
  failed(): Promise<Ended | undefined>;
  /** The server refuses a token that was renewed a moment ago. */
  refused(): Promise<Ended | undefined>;
  recovered(): void;
  stop(): void;
}

export function createMoveWatch(clock: Clock, moved: () => Promise<AppError | undefined>): MoveWatch {
  let failures = 0;
  let rest: (() => void) | undefined;
  const refused = async (): Promise<Ended | undefined> => {
    if (rest) return undefined;
    rest = clock.after(againMs, () => (rest = undefined));
    const error = await moved();
    return error && { kind: 'ended', final: true, error };
  };
  return {
    refused,
    async failed() {
      failures += 1;
      return failures < patience ? undefined : refused();
    },
    recovered() {
      failures = 0;
    },
    stop() {
      rest?.();
    },
  };
}
