// The "client under test" of the conformance suite: an MCP host that reaches the suite's server through the built
// bridge and a headless broker. The suite starts it once for each scenario, with the server's address as the last
// argument.
//   KEYBRIDGE_CONFORMANCE_DIST     folder with the build
//   KEYBRIDGE_CONFORMANCE_MODULES  folder with the official client
//   MCP_CONFORMANCE_SCENARIO, _PROTOCOL_VERSION, _CONTEXT   from the suite
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { flowFor } from './flows.mjs';
import { createHost } from './host.mjs';
import { createKeybridge } from './keybridge.mjs';
import { refusals } from './scenarios.mjs';
import { settingsFor } from './settings.mjs';

/** Below the suite's own limit, which kills only a shell and leaves its children running. */
const deadlineMs = 25_000;

const { KEYBRIDGE_CONFORMANCE_DIST: dist, KEYBRIDGE_CONFORMANCE_MODULES: modules } = process.env;
const {
  MCP_CONFORMANCE_SCENARIO: scenario,
  MCP_CONFORMANCE_PROTOCOL_VERSION: wire,
  MCP_CONFORMANCE_CONTEXT: given,
} = process.env;
const url = process.argv.at(-1);
const context = given ? JSON.parse(given) : {};

const folder = await mkdtemp(path.join(os.tmpdir(), 'keybridge-conformance-'));
const keybridge = createKeybridge({ dist, folder });
let host;

async function end(code) {
  await host?.close().catch(() => {});
  await keybridge.end();
  await rm(folder, { recursive: true, force: true });
  process.exit(code);
}

setTimeout(() => {
  console.error(`[host] not done within ${deadlineMs / 1000} s`);
  void end(1);
}, deadlineMs);

process.once('SIGTERM', () => void end(1));

try {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  await copyFile(path.join(import.meta.dirname, 'browser.mjs'), path.join(bin, 'browser.mjs'));
  await copyFile(path.join(import.meta.dirname, 'xdg-open'), path.join(bin, 'xdg-open'));
  await chmod(path.join(bin, 'xdg-open'), 0o755);
  await keybridge.serve();
  const { name } = await keybridge.run(
    'add',
    url,
    '--name',
    'suite',
    ...(await settingsFor(scenario, context, folder)),
  );
  host = await createHost({ modules, bridge: keybridge.bridge(name), wire });
  const codes = refusals.get(scenario);
  if (codes) await mustBeRefused(name, codes);
  else await flowFor(scenario)(await host.connect(), context);
  console.error('[host] done');
  await end(0);
} catch (error) {
  console.error('[host] failed:', error);
  await end(1);
}

/** The call must fail for the reason of the scenario: after a crash it would fail as well. */
async function mustBeRefused(name, codes) {
  let came = false;
  try {
    await flowFor(scenario)(await host.connect(), context);
    came = true;
  } catch (error) {
    console.error(`[host] refused as it must be: ${error.message}`);
  }
  if (came) throw new Error('the call went through');
  const { state } = await keybridge.run('status', name);
  if (codes.length > 0 && !codes.includes(state.error?.code))
    throw new Error(`refused for another reason: ${JSON.stringify(state)}`);
}
