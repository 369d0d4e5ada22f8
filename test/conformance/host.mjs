import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The host's time limit for the user to sign in. The suite's pages approve immediately. */
const signInWithinMs = 15_000;

/**
 * An MCP host on the official client, over the bridge. For 2026-07-28 it supports only that revision, otherwise the
 * generation with `initialize`.
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
    /** Starts the bridge and initializes. Rejects if that fails. */
    async connect() {
      await client.connect(transport);
      return { client, tools: () => toolsOf(client, changed) };
    },
    close: () => client.close(),
  };
}

/** Lists the tools. If there are none before the sign-in, waits for those after it. */
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

/** The input of a user who keeps all defaults and accepts. */
function answersTo(schema) {
  const answers = {};
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    if (property.default !== undefined) answers[name] = property.default;
    else if (property.type === 'boolean') answers[name] = true;
  }
  return answers;
}
