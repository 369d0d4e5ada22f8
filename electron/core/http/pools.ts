import { networkInterfaces } from 'node:os';
import { Agent, type buildConnector } from 'undici';

/**
 * How long an idle connection is kept for another request, in ms, whatever a server's `Keep-Alive: timeout=` promises:
 * what lies between (NAT, firewalls, load balancers) drops connections without a word, and a call on one that is gone
 * waits for minutes. It is undici's own time for a server that promises nothing.
 */
const idleConnectionMs = 4_000;

/** How often, at most, the addresses of this computer are compared, in ms. */
const networkCheckMs = 1_000;

/** Headers of an answer that we take; a challenge of 30 KB is odd but harmless. */
const maxHeaderBytes = 64 * 1024;

export interface PoolsOptions {
  /** Unix ms, on a clock that goes on while the computer sleeps; for tests. */
  readonly now?: (() => number) | undefined;
  /** What tells one network from another; for tests. */
  readonly network?: (() => string) | undefined;
}

export interface Pools {
  /** The pool of this name. `connect`: makes its connector, once. */
  agentFor(name: string, connect: () => buildConnector.connector): Agent;
  /** Ends all connections, also those in use. */
  destroy(): Promise<void>;
}

interface Pool {
  readonly agent: Agent;
  usedAt: number;
}

/**
 * Connection pools by name, which share no connections. A pool whose connections may have died unseen is not used
 * again: after a pause in which the computer may have slept (timers stand still then, the wall clock does not), and
 * after a change of network. Requests in flight end on the old one.
 */
export function createPools({ now = Date.now, network = addressesOfThisComputer }: PoolsOptions = {}): Pools {
  const pools = new Map<string, Pool>();
  const retired = new Set<Agent>();
  // Kept when a pool is replaced: they remember TLS sessions.
  const connectors = new Map<string, buildConnector.connector>();
  let seen: { readonly network: string; readonly at: number } | undefined;

  const connectorOf = (name: string, connect: () => buildConnector.connector): buildConnector.connector => {
    const connector = connectors.get(name) ?? connect();
    connectors.set(name, connector);
    return connector;
  };

  const retire = (name: string, { agent }: Pool) => {
    pools.delete(name);
    retired.add(agent);
    const gone = () => void retired.delete(agent);
    agent.close().then(gone, gone);
  };

  const retireAllAfterNetworkChange = (at: number) => {
    if (seen && Math.abs(at - seen.at) < networkCheckMs) return;
    const before = seen?.network;
    seen = { network: network(), at };
    if (before === undefined || before === seen.network) return;
    for (const [name, pool] of pools) retire(name, pool);
  };

  return {
    agentFor(name, connect) {
      const at = now();
      retireAllAfterNetworkChange(at);
      const known = pools.get(name);
      // Negative after the system's time was set back: then nobody knows how long it was idle.
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

/** Addresses that lead out of this computer, as one text. */
function addressesOfThisComputer(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => address)
    .toSorted()
    .join(' ');
}
