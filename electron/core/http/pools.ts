import { networkInterfaces } from 'node:os';
import { Agent, type buildConnector } from 'undici';

/**
 * How long an idle connection is kept, in ms, whatever the server's `Keep-Alive: timeout=` says: NAT, firewalls and
 * load balancers drop connections silently, and a call on a dropped one hangs for minutes. This is undici's default for
 * servers without that header.
 */
const idleConnectionMs = 4_000;

/** Minimum time between two checks for a change of network, in ms. */
const networkCheckMs = 1_000;

/** Limit on response headers. Challenges of 30 KB exist, and are harmless. */
const maxHeaderBytes = 64 * 1024;

export interface PoolsOptions {
  /** Unix ms, on a clock that keeps running while the computer sleeps. Replaced by tests. */
  readonly now?: (() => number) | undefined;
  /** Returns a text that differs between networks. Replaced by tests. */
  readonly network?: (() => string) | undefined;
}

export interface Pools {
  /** Returns the pool with this name. `connect` is called once per name, to create its connector. */
  agentFor(name: string, connect: () => buildConnector.connector): Agent;
  /** Closes all connections, including those in use. */
  destroy(): Promise<void>;
}

interface Pool {
  readonly agent: Agent;
  usedAt: number;
}

/**
 * Connection pools by name; they share no connections. A pool is replaced when its connections may have died unnoticed:
 * after a pause in which the computer may have slept (timers stop then, the wall clock does not), and after a change of
 * network. Requests in flight finish on the old pool.
 */
export function createPools({ now = Date.now, network = addressesOfThisComputer }: PoolsOptions = {}): Pools {
  const pools = new Map<string, Pool>();
  const retired = new Set<Agent>();
  // Kept when a pool is replaced, because they cache TLS sessions.
  const connectors = new Map<string, buildConnector.connector>();
  let lastCheck: { readonly network: string; readonly at: number } | undefined;

  const connectorOf = (name: string, connect: () => buildConnector.connector): buildConnector.connector => {
    const connector = connectors.get(name) ?? connect();
    connectors.set(name, connector);
    return connector;
  };

  const retire = (name: string, { agent }: Pool) => {
    pools.delete(name);
    retired.add(agent);
    const forget = () => void retired.delete(agent);
    agent.close().then(forget, forget);
  };

  const retireAllAfterNetworkChange = (at: number) => {
    if (lastCheck && Math.abs(at - lastCheck.at) < networkCheckMs) return;
    const before = lastCheck?.network;
    lastCheck = { network: network(), at };
    if (before === undefined || before === lastCheck.network) return;
    for (const [name, pool] of pools) retire(name, pool);
  };

  return {
    agentFor(name, connect) {
      const at = now();
      retireAllAfterNetworkChange(at);
      const known = pools.get(name);
      // `usedAt` lies in the future if the system's time was set back; the idle time is then unknown.
      if (known && at >= known.usedAt && at - known.usedAt <= idleConnectionMs) {
        known.usedAt = at;
        return known.agent;
      }
      if (known) retire(name, known);
      const agent = new Agent({
        connect: connectorOf(name, connect),
        pipelining: 1,
        maxHeaderSize: maxHeaderBytes,
        keepAliveTimeout: idleConnectionMs,
        keepAliveMaxTimeout: idleConnectionMs,
      });
      pools.set(name, { agent, usedAt: at });
      return agent;
    },
    async destroy() {
      const all = [...[...pools.values()].map(({ agent }) => agent), ...retired];
      pools.clear();
      await Promise.all(all.map((agent) => agent.destroy()));
    },
  };
}

/** Joins all non-loopback addresses of this computer. */
function addressesOfThisComputer(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .toSorted()
    .join(' ');
}
