// Every client scenario of the suite that is judged here, once for each wire that it applies to.
// `refused`: the scenario is about a sign-in that must not be completed; the codes with which Keybridge may end it.

const both = [
  'tools_call',
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
];

/** Optional, or newer than the revision: run at both wires, never scored by the suite. */
const beyond = [
  'auth/client-credentials-jwt',
  'auth/client-credentials-basic',
  'auth/enterprise-managed-authorization',
  'auth/dpop',
  'auth/dpop-nonce',
  'auth/wif-jwt-bearer',
  'json-schema-2020-12-preservation',
];

const only2025 = ['initialize', 'elicitation-sep1034-client-defaults', 'sse-retry'];

const only2026 = [
  'request-metadata',
  'auth/resource-mismatch',
  'auth/offline-access-scope',
  'auth/offline-access-not-supported',
  'auth/authorization-server-migration',
  'auth/iss-supported',
  'auth/iss-not-advertised',
  'auth/iss-supported-missing',
  'auth/iss-wrong-issuer',
  'auth/iss-unexpected',
  'auth/iss-normalized',
  'auth/metadata-issuer-mismatch',
  'sep-2322-client-request-state',
  'http-standard-headers',
  'http-custom-headers',
  'http-invalid-tool-headers',
  'json-schema-ref-no-deref',
];

const fallbacks = ['auth/2025-03-26-oauth-metadata-backcompat', 'auth/2025-03-26-oauth-endpoint-fallback'];
const skills = [
  'sep-2640-client-no-prefetch',
  'sep-2640-client-verify-digest',
  'sep-2640-client-verify-size',
  'sep-2640-client-verify-frontmatter',
];

/** @typedef {{ id: string, scenario: string, wire: string, set: string }} Run */

/**
 * @param {string} set
 * @param {string} wire
 * @param {string[]} scenarios
 * @returns {Run[]}
 */
const runs = (set, wire, scenarios) =>
  scenarios.map((scenario) => ({ id: `${scenario}@${wire}`, scenario, wire, set }));

/** The 70 runs: { id, scenario, wire, set }. */
export const allRuns = [
  ...runs('2025-11-25', '2025-11-25', [...only2025, ...both]),
  ...runs('2026-07-28', '2026-07-28', [...both, ...only2026]),
  ...runs('beyond', '2025-11-25', beyond),
  ...runs('beyond', '2026-07-28', beyond),
  ...runs('2025-03-26', '2025-03-26', fallbacks),
  ...runs('skills', '2025-11-25', skills),
];

/** Scenarios whose sign-in must end in a refusal, and the codes that name the right reason. */
export const refusals = new Map([
  ['auth/resource-mismatch', ['E_RESOURCE_MISMATCH']],
  ['auth/iss-supported-missing', ['E_ISS_MISMATCH']],
  ['auth/iss-wrong-issuer', ['E_ISS_MISMATCH']],
  ['auth/iss-unexpected', ['E_ISS_MISMATCH']],
  ['auth/iss-normalized', ['E_ISS_MISMATCH']],
  ['auth/metadata-issuer-mismatch', ['E_ISSUER_MISMATCH']],
  // Access that is never enough: how often it was asked for is what the suite looks at.
  ['auth/scope-retry-limit', []],
]);

/**
 * Scenarios with a client that was registered by hand: its redirect URI has one port, which another run's Keybridge on
 * the same machine may be listening on. They run one at a time, after the others.
 */
export const runsAlone = new Set(['auth/pre-registration']);
