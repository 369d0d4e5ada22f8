import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** How long a person may take to sign in, as far as this host is concerned; the suite's pages approve at once. */
const signInWithinMs = 15_000;

/**
 * An MCP host on the official client, over the bridge. At 2026-07-28 it speaks that revision and no other; before it,
 * the generation with `initialize`.
 */
export async function createHost({ modules, bridge, wire }) {
  const load = (file) =>
    import(pathToFileURL(path.join(modules, '@modelcontextprotocol', 'client', 'dist', file)).href);
  const { Client } = await load('index.mjs');
  const { StdioClientTransport } = await load('stdio.mjs');
  const modern = wire === '2026-07-28';
  const changed = createBell();
  const client = new Client(
    { name: 'conformance-host', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, roots: {}, sampling: {} },
      versionNegotiation: { mode: modern ? { pin: wire } : 'legacy' },
    },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => ({
    action: 'accept',
    content: answersTo(params.requestedSchema),
  }));
  client.setNotificationHandler('notifications/tools/list_changed', () => changed.ring());
  const transport = new StdioClientTransport({ ...bridge, stderr: 'inherit' });

  return {
    /** Starts the bridge and greets the server; rejects when that does not come to a session. */
    async connect() {
      await client.connect(transport);
      return { client, tools: () => toolsOf(client, changed) };
    },
    close: () => client.close(),
  };
}

/** The tools; where there are none yet because somebody must sign in first, those that are there afterwards. */
async function toolsOf(client, changed) {
  const first = await client.listTools();
  if (first.tools.length > 0 || !client.getInstructions()?.includes('has no tools yet')) return first.tools;
  await Promise.race([changed.rung, after(signInWithinMs)]);
  const { tools } = await client.listTools(undefined, { cacheMode: 'refresh' });
  return tools;
}

const after = (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref());

function createBell() {
  let ring;
  const rung = new Promise((resolve) => {
    ring = resolve;
  });
  return { rung, ring: () => ring() };
}

/** What a person fills in who takes every default and says yes. */
function answersTo(schema) {
  const answers = {};
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    if (property.default !== undefined) answers[name] = property.default;
    else if (property.type === 'boolean') answers[name] = true;
  }
  return answers;
}
