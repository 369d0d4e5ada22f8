import { readJson } from '../../shared/json.ts';
import type { Log } from '../core/base/log.ts';
import type { PendingRequest } from './response.ts';
import { elements, eachMember, skipSpace, skipValue, type Cursor } from '../../shared/json-scan.ts';
import { headerValue } from './request-headers.ts';
import { createYielding, scanYielding } from './yielding.ts';

/**
 * Arguments of tools that a server wants as headers, too (`x-mcp-header` in a tool's schema, MCP 2026-07-28 transports;
 * some servers ask for them before that revision). One for each host: it knows the tools that this host was shown.
 */
export interface ToolHeaders {
  /**
   * Reads the answer to `tools/list`. Returns it without the tools that a client must not show; otherwise
   * untouched.
   */
  learn(request: PendingRequest, line: Buffer): Promise<Buffer>;
  /** The `Mcp-Param-*` headers of a `tools/call`; none for anything else. */
  of(request: PendingRequest): Readonly<Record<string, string>>;
}

/** Where the argument stands, and the name of its header. */
interface Mirrored {
  readonly path: readonly string[];
  readonly header: string;
}

const keyword = 'x-mcp-header';
/** RFC 9110 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** A server that wants more as headers, in all or for one tool, does not get them. */
const mostInAll = 20_000;
const mostOfOne = 100;
/** The description of a longer tool is not looked into. */
const longestTool = 128 * 1024;
const types: readonly unknown[] = ['string', 'integer', 'boolean'];

export function createToolHeaders(log: Log, server: string): ToolHeaders {
  const known = new Map<string, readonly Mirrored[]>();
  let inAll = 0;

  const forget = (name: string) => {
    inAll -= known.get(name)?.length ?? 0;
    known.delete(name);
  };

  /** Learns what one tool wants. False: a client must not show it. */
  const look = (line: Buffer, start: number, end: number, stateless: boolean): boolean => {
    const { name, inputSchema } = end - start > longestTool ? {} : members(readJson(line.toString('utf8', start, end)));
    if (typeof name !== 'string') return true;
    forget(name);
    const mirrored = mirroredIn(inputSchema);
    if (mirrored && mirrored.length > 0 && mirrored.length <= mostOfOne && inAll + mirrored.length <= mostInAll) {
      known.set(name, mirrored);
      inAll += mirrored.length;
    }
    if (mirrored === undefined) log('tool_dropped', { server, reason: 'malformed x-mcp-header' });
    // Before 2026-07-28 the keyword means nothing, so nothing is wrong with such a tool.
    return mirrored !== undefined || !stateless;
  };

  return {
    async learn({ envelope: asked }, line) {
      // Nearly every server: nothing to parse, and every byte stays what it was.
      if (known.size === 0 && !line.includes(keyword)) return line;
      const yielding = createYielding();
      const dropped: (readonly [start: number, end: number])[] = [];
      const tools = await toolsIn(line);
      for (const [start, end] of tools) {
        await yielding.pauseIfDue();
        if (!look(line, start, end, asked.stateless)) dropped.push([start, end]);
      }
      return without(line, tools, dropped);
    },

    of({ line, envelope: asked }) {
      const mirrored = asked.method === 'tools/call' && asked.name !== undefined ? known.get(asked.name) : undefined;
      if (!mirrored) return {};
      const params = (readJson(Buffer.from(line).toString('utf8')) as { params?: { arguments?: unknown } } | undefined)
        ?.params;
      return Object.fromEntries(
        mirrored.flatMap(({ path, header }) => {
          const value = path.reduce<unknown>((inside, name) => own(inside, name), params?.arguments);
          return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
            ? [[header, headerValue(String(value))]]
            : [];
        }),
      );
    },
  };
}

/** Where each of `result.tools` stands. */
async function toolsIn(line: Buffer): Promise<(readonly [start: number, end: number])[]> {
  const yielding = createYielding();
  const cursor: Cursor = { bytes: line, at: 0, fault: undefined, known: await scanYielding(line) };
  let list: number | undefined;
  if (skipSpace(cursor) === 0x7b) {
    eachMember(cursor, (key) => {
      if (key !== 'result' || line[cursor.at] !== 0x7b) return skipValue(cursor);
      list = undefined;
      return eachMember(cursor, (inner) => {
        if (inner === 'tools') list = line[cursor.at] === 0x5b ? cursor.at : undefined;
        skipValue(cursor);
      });
    });
  }
  const found: (readonly [start: number, end: number])[] = [];
  if (list === undefined || cursor.fault) return found;
  cursor.at = list;
  for (const place of elements(cursor)) {
    found.push(place);
    await yielding.pauseIfDue();
  }
  return found;
}

/** The list without these of its tools; every other byte stays what it was. */
function without(
  line: Buffer,
  tools: readonly (readonly [start: number, end: number])[],
  dropped: readonly (readonly [start: number, end: number])[],
): Buffer {
  const [first, last] = [tools[0], tools.at(-1)];
  if (dropped.length === 0 || !first || !last) return line;
  const gone = new Set(dropped.map(([start]) => start));
  const kept = tools.filter(([start]) => !gone.has(start)).map(([start, end]) => line.subarray(start, end));
  const comma = Buffer.from(',');
  return Buffer.concat([
    line.subarray(0, first[0]),
    ...kept.flatMap((tool, at) => (at === 0 ? [tool] : [comma, tool])),
    line.subarray(last[1]),
  ]);
}

/**
 * What a schema wants as headers; undefined when it is malformed: not on a plain value, no token, twice, or not reached
 * by `properties` alone.
 */
function mirroredIn(schema: unknown): readonly Mirrored[] | undefined {
  const found: Mirrored[] = [];
  if (!collect(schema, [], found)) return undefined;
  const headers = new Set(found.map(({ header }) => header));
  return headers.size === found.length ? found : undefined;
}

function collect(schema: unknown, path: readonly string[], found: Mirrored[]): boolean {
  if (path.length > 20) return false;
  if (Object.hasOwn(members(schema), keyword)) {
    const name = own(schema, keyword);
    if (path.length === 0 || typeof name !== 'string' || !token.test(name) || !types.includes(own(schema, 'type')))
      return false;
    found.push({ path, header: `mcp-param-${name.toLowerCase()}` });
  }
  return Object.entries(members(schema)).every(([member, value]) => {
    if (member === 'properties')
      return Object.entries(members(value)).every(([name, property]) => collect(property, [...path, name], found));
    return data.has(member) || !mentions(value);
  });
}

/** Members whose values are data and not schemas. */
const data: ReadonlySet<string> = new Set([keyword, 'default', 'const', 'enum', 'examples']);

/** Whether the keyword stands anywhere below, as the name of a member. */
const mentions = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([name, inside]) => name === keyword || mentions(inside));

const members = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const own = (value: unknown, name: string): unknown =>
  Object.hasOwn(members(value), name) ? members(value)[name] : undefined;
