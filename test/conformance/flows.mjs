import { createHash } from 'node:crypto';

/**
 * Returns the host's steps in a scenario after it has connected. They reject at an unexpected result.
 * @returns {(connected: { client: object, tools: () => Promise<object[]> }, context: object) => Promise<void>}
 */
export function flowFor(scenario) {
  return flows[scenario] ?? callEveryTool;
}

const flows = {
  initialize: async ({ client }) => void (await client.listTools()),
  'request-metadata': async ({ client }) => void (await client.listTools()),
  'auth/authorization-server-migration': callAcrossTheMove,
  'http-standard-headers': askForEverything,
  'http-custom-headers': callAsTold,
  'http-invalid-tool-headers': callEveryTool,
  'sep-2322-client-request-state': callSideBySide,
  'json-schema-ref-no-deref': async ({ tools }) => mustHave(await tools()),
  'json-schema-2020-12-preservation': echoSchema,
  'sep-2640-client-no-prefetch': listSkills,
  'sep-2640-client-verify-digest': loadSkill,
  'sep-2640-client-verify-size': loadSkill,
  'sep-2640-client-verify-frontmatter': loadSkill,
};

async function callEveryTool({ client, tools }) {
  for (const tool of mustHave(await tools())) await call(client, tool.name, argumentsFor(tool.inputSchema));
}

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError) throw new Error(`${name} answered with an error: ${JSON.stringify(result.content)}`);
  return result;
}

function mustHave(tools) {
  if (tools.length === 0) throw new Error('there are no tools');
  return tools;
}

/** One value for each required argument of the tool. */
function argumentsFor({ properties = {}, required = [] }) {
  const values = { number: 7, integer: 7, boolean: true, string: 'text', array: [], object: {} };
  return Object.fromEntries(required.map((name) => [name, values[properties[name]?.type] ?? 'text']));
}

/** Before the second call the server moves to another authorization server. */
async function callAcrossTheMove({ client, tools }) {
  const [tool] = mustHave(await tools());
  await call(client, tool.name);
  await call(client, tool.name);
}

async function askForEverything(connected) {
  const { client } = connected;
  await callEveryTool(connected);
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}

async function callAsTold({ client, tools }, { toolCalls }) {
  mustHave(await tools());
  for (const { name, arguments: args } of toolCalls) await call(client, name, args);
}

/** A tool that requests input, and an unrelated one. */
async function callSideBySide({ client, tools }) {
  mustHave(await tools());
  await Promise.all([call(client, 'test_mrtr_echo_state'), call(client, 'test_mrtr_unrelated')]);
  await call(client, 'test_mrtr_no_state');
  await call(client, 'test_mrtr_no_result_type').catch(acceptOnly('INVALID_RESULT'));
}

/**
 * The official client rejects a response without `resultType` from a 2026-07-28 server. What matters here is that the
 * response arrived and that nothing else was sent.
 */
const acceptOnly = (code) => (error) => {
  if (error.code !== code) throw error;
};

async function echoSchema({ client, tools }) {
  const found = mustHave(await tools());
  const rich = found.find(({ name }) => name === 'json_schema_2020_12_tool');
  const echo = found.find(({ inputSchema }) => inputSchema.properties?.schema);
  await call(client, echo.name, { schema: rich.inputSchema });
}

const anything = { '~standard': { version: 1, vendor: 'keybridge', validate: (value) => ({ value }) } };

async function listSkills({ client }) {
  const { skills } = await client.request({ method: 'skills/list', params: {} }, anything);
  if (!Array.isArray(skills) || skills.length === 0) throw new Error('there are no skills');
  return skills;
}

/**
 * What a host must check when it loads a skill (SEP-2640). The suite's skill fails one check, so the host must not read
 * more of it.
 */
async function loadSkill(connected) {
  const { client } = connected;
  const [skill] = await listSkills(connected);
  const { contents } = await client.readResource({ uri: skill.uri });
  const { text } = contents[0];
  const entry = skill.resources.find(({ uri }) => uri === skill.uri);
  if (whole(text, entry) && frontmatterMatches(text, skill.frontmatter))
    throw new Error('a skill that was tampered with passed the checks');
}

function whole(text, { digest, size }) {
  return (
    Buffer.byteLength(text) === size && `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}` === digest
  );
}

function frontmatterMatches(text, expected) {
  const block = /^---\n([\s\S]*?)\n---/.exec(text)?.[1] ?? '';
  const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
  return Object.entries(expected).every(([name, value]) => fields[name] === value);
}
