/** These are ours: an extra parameter must not replace what a sign-in is checked with. */
const reserved: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'grant_type',
  'nonce',
  'redirect_uri',
  'refresh_token',
  'resource',
  'response_type',
  'scope',
  'state',
]);

/** Whether a parameter of this name may be added to an authorization or a token request. */
export const mayBeExtra = (name: string): boolean => /^[\w.-]{1,100}$/.test(name) && !reserved.has(name.toLowerCase());
