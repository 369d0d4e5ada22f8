import { z } from 'zod';
import { asAppError, type AppError } from '../../base/errors.ts';
import { findNetwork } from '../../http/network.ts';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { fetchDocument, startRun, type Run } from './metadata.ts';
import { probeServer } from './probe.ts';
import { resourceMetadataUrls } from './protected-resource.ts';
import type { AddressClass, Http } from '../../http/http.ts';

/** Errors that show that there is no MCP server at an address. */
const wrongAddressCodes: ReadonlySet<ErrorCode> = new Set([
  'E_SERVER_URL',
  'E_NOT_JSON',
  'E_RESOURCE_MISMATCH',
  'E_REDIRECTED',
]);
const ResourceMember = z.object({ resource: z.string() });
/** Time limit for all of these requests together. */
const searchMs = 8_000;
const maxAddresses = 3;

/**
 * The error of a discovery, as an AppError. If there is no MCP server at the address, the error lists the addresses on
 * the same origin at which one answers.
 */
export async function withOtherAddresses(
  fault: unknown,
  http: Http,
  server: URL,
  network?: AddressClass,
): Promise<AppError> {
  const known = asAppError(fault);
  if (!wrongAddressCodes.has(known.code)) return known;
  const addresses = await otherAddresses(http, server, network).catch(() => []);
  return addresses.length === 0 ? known : known.withAddresses(addresses);
}

/** The addresses in the host's metadata (RFC 9728), then the common paths. Each answered with MCP or with a 401. */
async function otherAddresses(http: Http, server: URL, network: AddressClass | undefined): Promise<string[]> {
  const run = startRun(http, await findNetwork(http, server, network), searchMs, undefined);
  const named = await Promise.all(
    resourceMetadataUrls(server, undefined).map((place) => namedResource(run, place, server)),
  );
  const candidates = new Map(
    [...named, ...commonAddresses(server)].flatMap((url) =>
      url && url.href !== server.href ? [[url.href, url] as const] : [],
    ),
  );
  const found = await Promise.all(
    [...candidates.values()].map(async (url) => ((await isMcpServer(run, url)) ? [url.href] : [])),
  );
  return found.flat().slice(0, maxAddresses);
}

async function namedResource(run: Run, place: URL, server: URL): Promise<URL | undefined> {
  const document = await fetchDocument(run, place).catch(() => undefined);
  const named = document?.kind === 'found' ? ResourceMember.safeParse(document.value).data : undefined;
  if (!named || !URL.canParse(named.resource)) return undefined;
  const url = new URL(named.resource);
  return url.origin === server.origin && url.username === '' && url.password === '' && url.hash === ''
    ? url
    : undefined;
}

function commonAddresses({ origin, pathname }: URL): URL[] {
  const below = pathname.replace(/\/$/, '');
  return [`${below}/mcp`, `${below}/sse`, '/mcp', '/sse'].map((path) => new URL(path, origin));
}

async function isMcpServer(run: Run, url: URL): Promise<boolean> {
  const probe = await probeServer(run, url).catch(() => undefined);
  if (probe?.kind === 'answered') return probe.fault === undefined;
  return probe?.kind === 'challenged' && probe.status === 401;
}
