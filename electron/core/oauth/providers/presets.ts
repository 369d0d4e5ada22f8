import { z } from 'zod';
import { mayBeExtra } from '../../../../shared/extra-parameters.ts';
import data from './presets.json' with { type: 'json' };
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** `{resource}` in a value is replaced by the server's `resource`. */
const Parameters = z.record(z.string().refine(mayBeExtra), z.string().min(1).max(500));

/**
 * `https://login.example/*`: a host, or `*.` and a domain; `*` in the path matches anything. `/realms/*`: this path on
 * any host, for self-hosted software.
 */
const IssuerPattern = z.string().regex(/^(https:\/\/(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+)?\/[\w*./-]*$/);

const HostPattern = z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/);

const Preset = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
    title: z.string(),
    /** Empty: the user chooses the preset by name, because the issuer does not identify the provider. */
    issuers: z.array(IssuerPattern),
    /** `omit`: this provider rejects requests with the `resource` parameter (RFC 8707). */
    resource: z.literal('omit').optional(),
    authorize: Parameters.optional(),
    token: Parameters.optional(),
    scopeOnRefresh: z.boolean().optional(),
    tokensIn: z.string().optional(),
    /** The `prompt` that shows a choice of accounts, if the metadata names none. */
    chooseAccount: z.enum(['select_account', 'login']).optional(),
    /** It supports PKCE without announcing it. */
    missingPkce: z.literal('allowed').optional(),
    /** Hosts of its endpoints outside the issuer's site, or `*.` and a domain; all belong to the provider. */
    hosts: z.array(HostPattern).optional(),
    /** Pairs of issuers that differ in the provider's own metadata. */
    issuerExceptions: z.array(z.strictObject({ named: z.string(), found: z.string() })).optional(),
    /** Addresses on other sites that its access tokens have as audience. */
    audiences: z.array(z.string().regex(/^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+\/$/)).optional(),
    /** `origin`: its access tokens name the origin of the issuer as `iss`, although each issuer has a path. */
    tokenIssuer: z.literal('origin').optional(),
    /** Life in days of a registration that does not state its expiry. */
    registrationDays: z.number().int().positive().optional(),
    /** True: a registration that requests scopes gets fewer than one without. */
    registerWithoutScopes: z.boolean().optional(),
    /**
     * `any`: the port of a loopback redirect URI is not compared, as RFC 8252 7.3 requires. `listed`: it is compared.
     */
    loopbackPorts: z.enum(['any', 'listed']).optional(),
    /** How a user gets a client ID. */
    advice: z.string().optional(),
    /** The page on which they get it. */
    page: z
      .string()
      .regex(/^https:\/\/[a-z0-9.-]+\/[\w/#.?=-]*$/)
      .optional(),
    /** The source of this information. */
    source: z.string().min(10),
    /** What it was tested against. */
    ran: z.enum(['fixture', 'real']),
  })
  .refine(
    ({ issuers, missingPkce, issuerExceptions, hosts, audiences }) =>
      (!missingPkce && !issuerExceptions && !hosts && !audiences) ||
      issuers.every((pattern) => /^https:\/\/[^*/]+\//.test(pattern)),
    { error: 'to relax a check, name a whole host: anyone may own a path, or a name below a shared domain' },
  );
export type Preset = z.infer<typeof Preset>;

const PresetsFile = z.strictObject({
  version: z.literal(1),
  presets: z.array(Preset).refine((all) => new Set(all.map(({ name }) => name)).size === all.length),
});

/** Reads a file of presets. Throws a ZodError: the file is part of the program. */
export const readPresets = (value: unknown): readonly Preset[] => PresetsFile.parse(value).presets;

/** The differences of single providers, as data. The first one that matches is used. */
export const presets: readonly Preset[] = readPresets(data);

/**
 * The preset for an authorization server: the one that the user chose, else by issuer. `issuer`: the address that the
 * metadata was fetched from, not the one that it states, so that a server cannot choose a preset.
 */
export function presetFor(issuer: string, chosen: ServerSettings['preset']): Preset | undefined {
  if (chosen !== undefined) return presets.find(({ name }) => name === chosen);
  return presets.find(({ issuers }) => issuers.some((pattern) => matches(pattern, issuer)));
}

/** The issuers that metadata found for this issuer may state: the same one, and those of exceptions for this pair. */
export function acceptedIssuers(named: string, { preset, issuerException }: ServerSettings): readonly string[] {
  const pairs = [...(issuerException ? [issuerException] : []), ...(presetFor(named, preset)?.issuerExceptions ?? [])];
  return [named, ...pairs.filter((pair) => pair.named === named).map(({ found }) => found)];
}

/**
 * Which hosts belong to the provider of this issuer. A preset that the user chose by name is ignored here: it does not
 * prove who serves the metadata.
 */
export function vouchedHosts(named: string, chosen: ServerSettings['preset']): (host: string) => boolean {
  const patterns = chosen === 'none' ? [] : (presetFor(named, undefined)?.hosts ?? []);
  return (host) => patterns.some((pattern) => matchesHost(pattern, host));
}

function matches(pattern: string, issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, host, pathname } = new URL(issuer);
  const [, hostPattern = '', path = '/'] = /^(?:https:\/\/([^/]+))?(\/.*)$/.exec(pattern) ?? [];
  if (hostPattern !== '' && (protocol !== 'https:' || !matchesHost(hostPattern, host))) return false;
  return new RegExp(`^${path.split('*').map(escaped).join('.*')}/?$`).test(pathname);
}

const matchesHost = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;

const escaped = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
