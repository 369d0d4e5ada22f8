import { readJson } from '../../shared/json.ts';
import type { Log } from '../core/log.ts';
import type { Question } from './answer.ts';
import { headerValue } from './headers.ts';

/**
 * Arguments of tools that a server wants as headers, too (`x-mcp-header` in a tool's schema, MCP 2026-07-28 transports; some servers ask
 * for them before that revision). One for each host: it knows the tools that this host was shown.
 */
export interface ToolHeaders {
  /** Reads the answer to `tools/list`. Gives it back without the tools that a client must not show; otherwise untouched. */
  learn(question: Question, line: Buffer): Buffer;
  /** The `Mcp-Param-*` headers of a `tools/call`; none for anything else. */
  of(question: Question): Readonly<Record<string, string>>;
}

/** Where the argument stands, and the name of its header. */
interface Mirrored {
  readonly path: readonly string[];
  readonly header: string;
}

const keyword = 'x-mcp-header';
/** RFC 9110 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** A server that lists more with such arguments does not get them as headers. */
const mostTools = 5_000;
const types: readonly unknown[] = ['string', 'integer', 'boolean'];

export function createToolHeaders(log: Log, server: string): ToolHeaders {
  const known = new Map<string, readonly Mirrored[]>();

  return {
    learn({ envelope: asked }, line) {
      // Nearly every server: nothing to parse, and every byte stays what it was.
      if (known.size === 0 && !line.includes(keyword)) return line;
      const result = (readJson(line.toString('utf8')) as { result?: { tools?: unknown } } | undefined)?.result;
      const tools = Array.isArray(result?.tools) ? (result.tools as readonly unknown[]) : [];
      const kept = tools.filter((tool) => {
        const { name, inputSchema } = members(tool);
        if (typeof name !== 'string') return true;
        const mirrored = mirroredIn(inputSchema);
        if (mirrored && mirrored.length > 0 && known.size < mostTools) known.set(name, mirrored);
        else known.delete(name);
        if (mirrored === undefined) log('tool_dropped', { server, reason: 'malformed x-mcp-header' });
        // Before 2026-07-28 the keyword means nothing, so nothing is wrong with such a tool.
        return mirrored !== undefined || !asked.modern;
      });
      return kept.length === tools.length ? line : Buffer.from(`{"jsonrpc":"2.0","id":${asked.id},"result":${JSON.stringify({ ...result, tools: kept })}}`);
    },

    of({ line, envelope: asked }) {
      const mirrored = asked.method === 'tools/call' && asked.name !== undefined ? known.get(asked.name) : undefined;
      if (!mirrored) return {};
      const params = (readJson(Buffer.from(line).toString('utf8')) as { params?: { arguments?: unknown } } | undefined)?.params;
      return Object.fromEntries(
        mirrored.flatMap(({ path, header }) => {
          const value = path.reduce<unknown>((inside, name) => own(inside, name), params?.arguments);
          return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[header, headerValue(String(value))]] : [];
        }),
      );
    },
  };
}

/** What a schema wants as headers; undefined when it is malformed: not on a plain value, no token, twice, or not reached by `properties` alone. */
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
    if (path.length === 0 || typeof name !== 'string' || !token.test(name) || !types.includes(own(schema, 'type'))) return false;
    found.push({ path, header: `mcp-param-${name.toLowerCase()}` });
  }
  return Object.entries(members(schema)).every(([member, value]) => {
    if (member === 'properties') return Object.entries(members(value)).every(([name, property]) => collect(property, [...path, name], found));
    return data.has(member) || !mentions(value);
  });
}

/** Members whose values are data and not schemas. */
const data: ReadonlySet<string> = new Set([keyword, 'default', 'const', 'enum', 'examples']);

/** Whether the keyword stands anywhere below, as the name of a member. */
const mentions = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.entries(value).some(([name, inside]) => name === keyword || mentions(inside));

const members = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});

const own = (value: unknown, name: string): unknown => (Object.hasOwn(members(value), name) ? members(value)[name] : undefined);
