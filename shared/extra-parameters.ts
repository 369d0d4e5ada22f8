/** Parameters that Keybridge sets itself. An additional parameter must not replace them. */
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

/** Whether a parameter with this name may be added to authorization and token requests. */
export const mayBeExtra = (name: string): boolean => /^[\w.-]{1,100}$/.test(name) && !reserved.has(name.toLowerCase());
