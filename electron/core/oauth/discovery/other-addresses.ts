import { z } from 'zod';
import { asAppError, type AppError } from '../../base/errors.ts';
import { findNetwork } from '../../http/network.ts';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { fetchDocument, startRun, type Run } from './metadata.ts';
import { askServer } from './probe.ts';
import { resourcePlaces } from './protected-resource.ts';
import type { AddressClass, Http } from '../../http/http.ts';

/** Codes of an address at which there is no MCP server. */
const wrongAddress: ReadonlySet<ErrorCode> = new Set([
  'E_SERVER_URL',
  'E_NOT_JSON',
  'E_RESOURCE_MISMATCH',
  'E_REDIRECTED',
]);
const Named = z.object({ resource: z.string() });
/** Time limit for all of these requests together. */
const lookMs = 8_000;
const most = 3;

/**
 * The error of a look at an address; where no MCP server is there, with the addresses of the same origin at which one
 * answers.
 */
export async function withOtherAddresses(
  fault: unknown,
  http: Http,
  server: URL,
  network?: AddressClass,
): Promise<AppError> {
  const known = asAppError(fault);
  if (!wrongAddress.has(known.code)) return known;
  const addresses = await otherAddresses(http, server, network).catch(() => []);
  return addresses.length === 0 ? known : known.withAddresses(addresses);
}

/** What the host's metadata (RFC 9728) names first, then the usual paths. Each has answered: in MCP, or with a 401. */
async function otherAddresses(http: Http, server: URL, network: AddressClass | undefined): Promise<string[]> {
  const run = startRun(http, await findNetwork(http, server, network), lookMs, undefined);
  const named = await Promise.all(resourcePlaces(server, undefined).map((place) => namedResource(run, place, server)));
  const candidates = new Map(
    [...named, ...usualPaths(server)].flatMap((url) =>
      url && url.href !== server.href ? [[url.href, url] as const] : [],
    ),
  );
  const found = await Promise.all(
    [...candidates.values()].map(async (url) => ((await answers(run, url)) ? [url.href] : [])),
  );
  return found.flat().slice(0, most);
}

async function namedResource(run: Run, place: URL, server: URL): Promise<URL | undefined> {
  const document = await fetchDocument(run, place).catch(() => undefined);
  const named = document?.kind === 'found' ? Named.safeParse(document.value).data : undefined;
  if (!named || !URL.canParse(named.resource)) return undefined;
  const url = new URL(named.resource);
  return url.origin === server.origin && url.username === '' && url.password === '' && url.hash === ''
    ? url
    : undefined;
}

function usualPaths({ origin, pathname }: URL): URL[] {
  const below = pathname.replace(/\/$/, '');
  return [`${below}/mcp`, `${below}/sse`, '/mcp', '/sse'].map((path) => new URL(path, origin));
}

async function answers(run: Run, url: URL): Promise<boolean> {
  const asked = await askServer(run, url).catch(() => undefined);
  if (asked?.kind === 'answered') return asked.fault === undefined;
  return asked?.kind === 'challenged' && asked.status === 401;
}
