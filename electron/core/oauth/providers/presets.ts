import { z } from 'zod';
import { mayBeExtra } from '../../../../shared/extra-parameters.ts';
import data from './presets.json' with { type: 'json' };
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** `{resource}` in a value stands for the server's `resource`. */
const Parameters = z.record(z.string().refine(mayBeExtra), z.string().min(1).max(500));

/**
 * `https://login.example/*`: a host, or `*.` and the end of one; `*` in the path stands for anything. `/realms/*`: this
 * path on any host, for software that people host themselves.
 */
const IssuerPattern = z.string().regex(/^(https:\/\/(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+)?\/[\w*./-]*$/);

const HostPattern = z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/);

const Preset = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
    title: z.string(),
    /** None: chosen by its name only, because nothing in its issuer tells it. */
    issuers: z.array(IssuerPattern),
    /** `omit`: the `resource` parameter (RFC 8707) makes this provider refuse. */
    resource: z.literal('omit').optional(),
    authorize: Parameters.optional(),
    token: Parameters.optional(),
    scopeOnRefresh: z.boolean().optional(),
    tokensIn: z.string().optional(),
    /** The `prompt` that lets a person choose who signs in, where the metadata names none. */
    chooseAccount: z.enum(['select_account', 'login']).optional(),
    /** It takes PKCE and does not announce it. */
    missingPkce: z.literal('allowed').optional(),
    /**
     * Hosts of its endpoints besides those of the issuer's site, or `*.` and the end of them: all are the provider's.
     */
    hosts: z.array(HostPattern).optional(),
    /** Pairs that differ in the provider's own documents. */
    issuerExceptions: z.array(z.strictObject({ named: z.string(), found: z.string() })).optional(),
    /** Hosts of another site that its access tokens name as their audience, as addresses. */
    audiences: z.array(z.string().regex(/^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+\/$/)).optional(),
    /**
     * `origin`: its access tokens are issued in the name of the issuer's origin, though each server has an issuer below
     * it.
     */
    tokenIssuer: z.literal('origin').optional(),
    /** Life in days of a registration that does not state its end. */
    registrationDays: z.number().int().positive().optional(),
    /** True: a registration that names scopes gets fewer than one that does not. */
    registerWithoutScopes: z.boolean().optional(),
    /**
     * `any`: the port of a redirect URI on this computer is not compared (RFC 8252 7.3). `listed`: it is, although it
     * should not be.
     */
    loopbackPorts: z.enum(['any', 'listed']).optional(),
    /** What a person does to get a client ID. */
    advice: z.string().optional(),
    /** Where. */
    page: z
      .string()
      .regex(/^https:\/\/[a-z0-9.-]+\/[\w/#.?=-]*$/)
      .optional(),
    /** Where this is known from. */
    source: z.string().min(10),
    /** What it was tried against. */
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

/** Reads a file of presets. Throws what zod throws: the file is part of the program. */
export const readPresets = (value: unknown): readonly Preset[] => PresetsFile.parse(value).presets;

/** What is known of single providers, as data. The first that matches counts. */
export const presets: readonly Preset[] = readPresets(data);

/**
 * The preset for an authorization server: the one that the user named, else by the issuer. `issuer` is where its
 * metadata came from, not what somebody says: a stranger cannot choose a preset.
 */
export function presetFor(issuer: string, wanted: ServerSettings['preset']): Preset | undefined {
  if (wanted !== undefined) return presets.find(({ name }) => name === wanted);
  return presets.find(({ issuers }) => issuers.some((pattern) => matches(pattern, issuer)));
}

/** The issuer values that metadata may have, which was found under this name: the name itself, and exact exceptions. */
export function acceptedIssuers(named: string, { preset, issuerException }: ServerSettings): readonly string[] {
  const pairs = [...(issuerException ? [issuerException] : []), ...(presetFor(named, preset)?.issuerExceptions ?? [])];
  return [named, ...pairs.filter((pair) => pair.named === named).map(({ found }) => found)];
}

/**
 * Which hosts are known to belong to the provider under whose name this metadata was found. A preset that the user
 * chose by its name says nothing of that: the metadata then came from anybody.
 */
export function vouchedHosts(named: string, wanted: ServerSettings['preset']): (host: string) => boolean {
  const patterns = wanted === 'none' ? [] : (presetFor(named, undefined)?.hosts ?? []);
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
