import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ensureCached, run } from '../../scripts/cache.mjs';
import { until } from '../fixtures/wait.ts';
import { Missing } from './missing.mjs';
import { freePort } from '../fixtures/free-port.ts';

export const keycloakVersion = '26.7.0';
const sha256 = 'e63bd0167199c0092b8a4d22cc137e6b7a70e0089070f6f7799b1be504b69a8a';
const unpack = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';

/** The first start builds the server. */
const startWithinMs = 180_000;

/**
 * Keycloak in development mode with one realm, which has the user ada and the public client `keybridge`. Its tokens are
 * for `resource`.
 * @returns {Promise<{ issuer: string, initialAccessToken: () => Promise<string>, close: () => Promise<void> }>}
 *   Throws Missing
 *   if Java or Maven is missing. initialAccessToken: valid for one registration.
 */
export async function startKeycloak({ resource, accessTokenSeconds, log }) {
  await needJava();
  const cached = await ensureKeycloak(log);
  // It writes into its installation folder.
  const place = await mkdtemp(path.join(os.tmpdir(), 'keybridge-keycloak-'));
  const removePlace = () => rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', removePlace);
  const home = path.join(place, 'keycloak');
  await cp(cached, home, { recursive: true });
  await mkdir(path.join(home, 'data', 'import'), { recursive: true });
  await writeFile(
    path.join(home, 'data', 'import', 'mcp-realm.json'),
    JSON.stringify(realm(resource, accessTokenSeconds)),
  );

  const admin = { username: 'admin', password: randomUUID() };
  const server = await launch(home, ['--import-realm'], {
    KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
    KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
  }).catch((error) => {
    removePlace();
    throw error;
  });
  return {
    issuer: `${server.origin}/realms/mcp`,
    initialAccessToken: () => initialAccessToken(server.origin, admin),
    close: async () => {
      await server.close();
      process.off('exit', removePlace);
      removePlace();
    },
  };
}

/** @returns {Promise<{ origin: string, close: () => Promise<void> }>} when it answers */
async function launch(home, more, variables) {
  const port = await freePort();
  const args = [path.join(home, 'bin', 'kc.sh'), 'start-dev', '--http-host=127.0.0.1', `--http-port=${port}`, ...more];
  // It runs for a minute, so the quick compiler is enough.
  const env = { ...process.env, JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1', ...variables };
  const child = spawn('sh', args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => (text = (text + chunk).slice(-3_000)));
  let over = false;
  const ended = new Promise((resolve) => child.once('close', resolve)).then(() => (over = true));
  // Kills the script and its Java process, even if this program is interrupted.
  const kill = () => {
    if (!over && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.prependOnceListener('exit', kill);
  const close = async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
  const origin = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${origin}/realms/master/.well-known/openid-configuration`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await until(async () => over || (await answers()), 'the start of Keycloak', startWithinMs);
    if (over) throw new Error(`Keycloak ended: ${text.trim().split('\n').slice(-5).join(' ')}`);
    return { origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns {Promise<string>} the unpacked distribution, which has been started once to make later starts fast */
async function ensureKeycloak(log) {
  const name = `keycloak-${keycloakVersion}`;
  const folder = await ensureCached('interop-keycloak', `${keycloakVersion} ${sha256} started`, async (place) => {
    log(`Fetching Keycloak ${keycloakVersion} (once, about 170 MB) ...`);
    await fetchKeycloak(place);
    const home = path.join(place, name);
    const server = await launch(home, [], {});
    await server.close();
    await rm(path.join(home, 'data'), { recursive: true, force: true });
  });
  return path.join(folder, name);
}

async function fetchKeycloak(place) {
  // By default Maven would keep a second copy in the home folder, and write files to the current folder.
  const work = path.join(place, 'maven');
  const repository = path.join(work, 'repository');
  await mkdir(repository, { recursive: true });
  const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:zip`;
  await run(
    'mvn',
    ['-q', '-B', unpack, `-Dmaven.repo.local=${repository}`, `-Dartifact=${artifact}`, `-DoutputDirectory=${place}`],
    { cwd: work },
  ).catch((error) => {
    if (error.code === 'ENOENT') throw new Missing('there is no mvn here to fetch Keycloak with (Debian: maven)');
    throw new Missing(`Keycloak ${keycloakVersion} could not be fetched: ${error.message}`);
  });
  const zip = path.join(
    repository,
    'org',
    'keycloak',
    'keycloak-quarkus-dist',
    keycloakVersion,
    `keycloak-quarkus-dist-${keycloakVersion}.zip`,
  );
  const found = createHash('sha256')
    .update(await readFile(zip))
    .digest('hex');
  if (found !== sha256) throw new Error(`Keycloak ${keycloakVersion} has the wrong checksum: ${found}`);
  await rm(work, { recursive: true, force: true });
}

async function needJava() {
  const java =
    process.env.JAVA_HOME && existsSync(path.join(process.env.JAVA_HOME, 'bin'))
      ? path.join(process.env.JAVA_HOME, 'bin', 'java')
      : 'java';
  const text = await run(java, ['-version']).catch(() => {
    throw new Missing('there is no Java here (Debian: openjdk-17-jdk-headless)');
  });
  const major = Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
  if (major < 17) throw new Missing(`Keycloak needs Java 17 or newer, this is ${major}`);
}

/** Creates one like the admin console does: Clients, Client registration, Initial access token. */
async function initialAccessToken(origin, admin) {
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...admin });
  const { access_token: bearer } = await answerOf(
    fetch(`${origin}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form }),
  );
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const { token } = await answerOf(
    fetch(`${origin}/admin/realms/mcp/clients-initial-access`, {
      method: 'POST',
      headers,
      body: '{"count":1,"expiration":600}',
    }),
  );
  return token;
}

async function answerOf(asked) {
  const answer = await asked;
  if (!answer.ok) throw new Error(`Keycloak answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** A realm with its own client scopes gets none of the built-in ones. `basic` adds the subject to the token. */
function realm(resource, accessTokenSeconds) {
  const scope = (name, mapper, config) => ({
    name,
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    ...(mapper
      ? {
          protocolMappers: [
            {
              name: mapper,
              protocol: 'openid-connect',
              protocolMapper: mapper,
              config: { ...config, 'access.token.claim': 'true' },
            },
          ],
        }
      : {}),
  });
  return {
    realm: 'mcp',
    enabled: true,
    sslRequired: 'none',
    accessTokenLifespan: accessTokenSeconds,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    clientScopes: [
      scope('basic', 'oidc-sub-mapper', {}),
      scope('mcp:tools', 'oidc-audience-mapper', { 'included.custom.audience': resource }),
      scope('offline_access'),
    ],
    defaultDefaultClientScopes: ['basic'],
    defaultOptionalClientScopes: ['mcp:tools', 'offline_access'],
    clients: [
      {
        clientId: 'keybridge',
        publicClient: true,
        standardFlowEnabled: true,
        redirectUris: ['http://127.0.0.1/*'],
        attributes: { 'pkce.code.challenge.method': 'S256' },
        defaultClientScopes: ['basic'],
        optionalClientScopes: ['mcp:tools', 'offline_access'],
      },
    ],
    users: [
      {
        username: 'ada',
        enabled: true,
        email: 'ada@example.test',
        emailVerified: true,
        firstName: 'Ada',
        lastName: 'Lovelace',
        credentials: [{ type: 'password', value: 'lovelace', temporary: false }],
        realmRoles: ['offline_access'],
      },
    ],
  };
}
