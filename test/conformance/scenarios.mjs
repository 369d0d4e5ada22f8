// Every client scenario of the suite that is tested here, with each protocol version that it applies to.
// `refused`: for a sign-in that must not be completed, the error codes with which Keybridge may end it.

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

/** Optional, or newer than the revision: run with both protocol versions, never scored by the suite. */
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

/** Scenarios whose sign-in must be refused, and the error codes for the right reason. */
export const refusals = new Map([
  ['auth/resource-mismatch', ['E_RESOURCE_MISMATCH']],
  ['auth/iss-supported-missing', ['E_ISS_MISMATCH']],
  ['auth/iss-wrong-issuer', ['E_ISS_MISMATCH']],
  ['auth/iss-unexpected', ['E_ISS_MISMATCH']],
  ['auth/iss-normalized', ['E_ISS_MISMATCH']],
  ['auth/metadata-issuer-mismatch', ['E_ISSUER_MISMATCH']],
  // The access is never sufficient: the suite checks how often it is requested.
  ['auth/scope-retry-limit', []],
]);

/**
 * Scenarios with a client that was registered by hand: its redirect URI has a fixed port, which Keybridge of another
 * run may be using. They run one at a time, after the others.
 */
export const runsAlone = new Set(['auth/pre-registration']);
