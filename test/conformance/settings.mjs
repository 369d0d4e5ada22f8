import { writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Returns the arguments of `keybridge add` for a scenario and its context. Secrets are passed in files in `folder`,
 * never as arguments.
 * @returns {Promise<string[]>}
 */
export async function settingsFor(scenario, context, folder) {
  const secretFile = async (name, value) => {
    const file = path.join(folder, name);
    await writeFile(file, value, { mode: 0o600 });
    return file;
  };
  const secret = async (name, value) => ['--secret-file', `${name}=${await secretFile(name, value)}`];
  const client = async () => [
    '--client-id',
    context.client_id,
    '--client-secret-file',
    await secretFile('clientSecret', context.client_secret),
  ];
  const set = (settings) =>
    Object.entries(settings).flatMap(([name, value]) => [
      '--set',
      `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ]);

  switch (scenario) {
    case 'auth/basic-cimd':
      return set({ clientMetadataUrl: 'https://conformance-test.local/client-metadata.json' });
    case 'auth/2025-03-26-oauth-endpoint-fallback':
      return set({ legacyEndpoints: true });
    case 'auth/pre-registration':
      return client();
    case 'auth/client-credentials-basic':
      return [...(await client()), ...set({ grant: 'client_credentials' })];
    case 'auth/client-credentials-jwt':
      return [
        '--client-id',
        context.client_id,
        ...set({
          grant: 'client_credentials',
          clientAuth: 'private_key_jwt',
          signingAlgorithm: context.signing_algorithm,
        }),
        ...(await secret('privateKey', context.private_key_pem)),
      ];
    case 'auth/wif-jwt-bearer':
      return [
        '--client-id',
        context.client_id,
        ...set({ grant: 'jwt_bearer' }),
        ...(await secret('assertion', context.valid_jwt)),
      ];
    case 'auth/enterprise-managed-authorization':
      return [
        ...(await client()),
        ...set({
          grant: 'enterprise_managed',
          enterprise: {
            issuer: context.idp_issuer,
            clientId: context.idp_client_id,
            tokenEndpoint: context.idp_token_endpoint,
          },
        }),
        ...(await secret('enterpriseIdToken', context.idp_id_token)),
      ];
    default:
      return [];
  }
}
