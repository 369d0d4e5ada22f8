// A hostile MCP server. The name of the called tool selects the response. Prints its URL.
import { once } from 'node:events';
import http from 'node:http';

const megabyte = 1024 * 1024;

/** Writes a piece again and again, `bytes` in total, as fast as the other side reads and until it closes. */
async function writeRepeatedly(socket, piece, bytes) {
  const block = Buffer.from(piece.repeat(Math.ceil((64 * 1024) / piece.length)));
  const closed = once(socket, 'close');
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += block.length) {
    if (!socket.write(block)) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
  }
}

const head = (type, length) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${length === undefined ? 'connection: close' : length}\r\n\r\n`;
const chunked = 'transfer-encoding: chunked';
const whole = (body) => `${head('application/json', `content-length: ${Buffer.byteLength(body)}`)}${body}`;
const result = (id, members) => whole(`{"jsonrpc":"2.0","id":${id},"result":{${members}}}`);

/** A list of tools whose arguments are all to be sent as headers. */
const manyHeaders = (bytes) => {
  const property = (n) => `"p${n}":{"type":"string","x-mcp-header":"H${n}"}`;
  const properties = Array.from({ length: 50 }, (_, n) => property(n)).join();
  const tool = (n) => `{"name":"tool${n}","inputSchema":{"type":"object","properties":{${properties}}}}`;
  const one = tool(10_000).length;
  return `"tools":[${Array.from({ length: Math.floor(bytes / one) }, (_, n) => tool(n)).join()}]`;
};

const attacks = {
  /** One event of empty lines. */
  'empty-lines': async (socket) => {
    socket.write(head('text/event-stream'));
    await writeRepeatedly(socket, 'data:\n', 99 * megabyte);
    socket.end();
  },
  /** Each byte of a body is a chunk. */
  'small-chunks': async (socket) => {
    socket.write(head('application/json', chunked));
    await writeRepeatedly(socket, '1\r\n \r\n', 48 * megabyte);
    socket.end();
  },
  /** Events without a JSON-RPC message. */
  'empty-events': async (socket) => {
    socket.write(head('text/event-stream'));
    await writeRepeatedly(socket, 'data:{}\n\n', 48 * megabyte);
    socket.end();
  },
  'dense-json': async (socket, id) => void socket.write(result(id, `"x":[${'[],'.repeat(5 * megabyte)}[]]`)),
  'line-feeds': async (socket, id) => void socket.write(result(id, `"x":[${'\n'.repeat(15 * megabyte)}]`)),
  'long-text': async (socket, id) =>
    void socket.write(result(id, `"content":[{"type":"text","text":"${'x'.repeat(15 * megabyte)}"}]`)),
  'many-headers': async (socket, id) => void socket.write(result(id, manyHeaders(8 * megabyte))),
};

const server = http.createServer((request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end();
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const { id, method, params } = JSON.parse(Buffer.concat(parts));
    if (id === undefined) return response.writeHead(202).end();
    const attack = method === 'tools/list' ? attacks['many-headers'] : attacks[params?.name];
    if (attack) return void attack(request.socket, id).catch(() => request.socket.destroy());
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'hostile', version: '1' },
      },
    });
    return response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  return undefined;
});
server.on('connection', (socket) => socket.on('error', () => {}));
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
process.stdin.resume().on('end', () => process.exit(0));
