// The least that a bridge in Node does: stdio to HTTP, without sign-ins, sessions, streams and errors. For comparison.
import http from 'node:http';

const url = new URL(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
let rest = '';
let open = 0;
let ended = false;

function end() {
  if (ended && open === 0) process.exit(0);
}

function send(line) {
  open += 1;
  const body = Buffer.from(line);
  const request = http.request(
    {
      hostname: url.hostname,
      port: url.port,
      path: url.pathname,
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': body.length,
      },
    },
    (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        if (chunks.length > 0) {
          chunks.push(Buffer.from('\n'));
          process.stdout.write(Buffer.concat(chunks));
        }
        open -= 1;
        end();
      });
    },
  );
  request.end(body);
}

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  for (const line of lines) if (line) send(line);
});
process.stdin.on('end', () => {
  ended = true;
  end();
});
