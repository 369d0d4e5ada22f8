import { readJson } from '../../shared/json.ts';
import type { Log } from '../core/base/log.ts';
import type { PendingRequest } from './model.ts';
import { elements, eachMember, skipSpace, skipValue, type Cursor } from '../../shared/json-scan.ts';
import { headerValue } from './request-headers.ts';
import { createYielding, scanYielding } from './yielding.ts';

/**
 * Copies arguments of tools to headers where the tool's schema asks for it (`x-mcp-header`, MCP 2026-07-28 transports;
 * some servers of earlier revisions use it too). One per host, because it knows the tools that this host was shown.
 */
export interface ToolHeaders {
  /** Reads a response to `tools/list`. Returns it without the tools that a client must not show. */
  learn(request: PendingRequest, line: Buffer): Promise<Buffer>;
  /** Returns the `Mcp-Param-*` headers of a `tools/call`; none for other methods. */
  of(request: PendingRequest): Readonly<Record<string, string>>;
}

/** An argument that is copied to a header. */
interface HeaderParam {
  /** The names of the properties that lead to it. */
  readonly path: readonly string[];
  readonly header: string;
}

const keyword = 'x-mcp-header';
/** RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Parameters above these limits are not copied. */
const maxParams = 20_000;
const maxParamsPerTool = 100;
/** A longer description of a tool is not read. */
const maxToolBytes = 128 * 1024;
const maxSchemaDepth = 20;
const plainTypes: readonly unknown[] = ['string', 'integer', 'boolean'];

export function createToolHeaders(log: Log, server: string): ToolHeaders {
  const paramsByTool = new Map<string, readonly HeaderParam[]>();
  let count = 0;

  const forget = (name: string) => {
    count -= paramsByTool.get(name)?.length ?? 0;
    paramsByTool.delete(name);
  };

  /** Learns the parameters of one tool. False if a client must not show the tool. */
  const learnTool = (line: Buffer, start: number, end: number, stateless: boolean): boolean => {
    const { name, inputSchema } =
      end - start > maxToolBytes ? {} : members(readJson(line.toString('utf8', start, end)));
    if (typeof name !== 'string') return true;
    forget(name);
    const params = headerParams(inputSchema);
    if (params && params.length > 0 && params.length <= maxParamsPerTool && count + params.length <= maxParams) {
      paramsByTool.set(name, params);
      count += params.length;
    }
    if (params === undefined) log('tool_dropped', { server, reason: 'malformed x-mcp-header' });
    // Before 2026-07-28 the keyword has no meaning, so it cannot be malformed.
    return params !== undefined || !stateless;
  };

  return {
    async learn({ envelope }, line) {
      // Almost no server uses the keyword, so most lists need no parsing.
      if (paramsByTool.size === 0 && !line.includes(keyword)) return line;
      const yielding = createYielding();
      const dropped: (readonly [start: number, end: number])[] = [];
      const tools = await findTools(line);
      for (const [start, end] of tools) {
        await yielding.pauseIfDue();
        if (!learnTool(line, start, end, envelope.stateless)) dropped.push([start, end]);
      }
      return removeTools(line, tools, dropped);
    },

    of({ line, envelope: { method, name } }) {
      const headers = method === 'tools/call' && name !== undefined ? paramsByTool.get(name) : undefined;
      if (!headers) return {};
      const message = readJson(Buffer.from(line).toString('utf8')) as { params?: { arguments?: unknown } } | undefined;
      return Object.fromEntries(
        headers.flatMap(({ path, header }) => {
          const value = path.reduce<unknown>((inside, key) => own(inside, key), message?.params?.arguments);
          return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
            ? [[header, headerValue(String(value))]]
            : [];
        }),
      );
    },
  };
}

/** The offsets of each element of `result.tools`. */
async function findTools(line: Buffer): Promise<(readonly [start: number, end: number])[]> {
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
  const tools: (readonly [start: number, end: number])[] = [];
  if (list === undefined || cursor.fault) return tools;
  cursor.at = list;
  for (const offsets of elements(cursor)) {
    tools.push(offsets);
    await yielding.pauseIfDue();
  }
  return tools;
}

/** The response without the dropped tools; all other bytes are unchanged. */
function removeTools(
  line: Buffer,
  tools: readonly (readonly [start: number, end: number])[],
  dropped: readonly (readonly [start: number, end: number])[],
): Buffer {
  const [first, last] = [tools[0], tools.at(-1)];
  if (dropped.length === 0 || !first || !last) return line;
  const droppedStarts = new Set(dropped.map(([start]) => start));
  const kept = tools.filter(([start]) => !droppedStarts.has(start)).map(([start, end]) => line.subarray(start, end));
  const comma = Buffer.from(',');
  return Buffer.concat([
    line.subarray(0, first[0]),
    ...kept.flatMap((tool, at) => (at === 0 ? [tool] : [comma, tool])),
    line.subarray(last[1]),
  ]);
}

/**
 * The parameters that a schema asks for as headers. Undefined if the keyword is malformed: on a value that is not
 * plain, not a token, used twice, or below anything but `properties`.
 */
function headerParams(schema: unknown): readonly HeaderParam[] | undefined {
  const params: HeaderParam[] = [];
  if (!collect(schema, [], params)) return undefined;
  const headers = new Set(params.map(({ header }) => header));
  return headers.size === params.length ? params : undefined;
}

/** Adds the parameters of a schema to `params`. False if one is malformed. */
function collect(schema: unknown, path: readonly string[], params: HeaderParam[]): boolean {
  if (path.length > maxSchemaDepth) return false;
  if (Object.hasOwn(members(schema), keyword)) {
    const name = own(schema, keyword);
    const isPlain = path.length > 0 && plainTypes.includes(own(schema, 'type'));
    if (!isPlain || typeof name !== 'string' || !token.test(name)) return false;
    params.push({ path, header: `mcp-param-${name.toLowerCase()}` });
  }
  return Object.entries(members(schema)).every(([member, value]) => {
    if (member === 'properties')
      return Object.entries(members(value)).every(([name, property]) => collect(property, [...path, name], params));
    return dataMembers.has(member) || !hasKeyword(value);
  });
}

/** Members whose values are data, not schemas. */
const dataMembers: ReadonlySet<string> = new Set([keyword, 'default', 'const', 'enum', 'examples']);

/** Whether any object below has the keyword as a member. */
const hasKeyword = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([name, inside]) => name === keyword || hasKeyword(inside));

const members = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const own = (value: unknown, name: string): unknown =>
  Object.hasOwn(members(value), name) ? members(value)[name] : undefined;
