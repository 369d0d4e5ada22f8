import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** Handles one request with an MCP server that has the tool `echo`, without sessions. `body`: already parsed. */
export async function answerMcp(request, response, body) {
  const server = new McpServer({ name: 'interop-peer', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, body);
}

/** Tells the test that this peer listens, then carries out its orders until stdin ends. */
export function ready(facts, orders = {}) {
  console.log(`READY ${JSON.stringify(facts)}`);
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => console.log(`DONE ${JSON.stringify(orders[line]?.() ?? null)}`));
  lines.on('close', () => process.exit(0));
}
