import type { TokenQuirks } from '../../vault/credential.ts';

/** Parameters of every token request of this client besides the grant: extra ones, and `resource` unless omitted. */
export function tokenParameters({
  resource,
  quirks,
}: {
  readonly resource: string;
  readonly quirks?: TokenQuirks;
}): Record<string, string> {
  return { ...quirks?.parameters, ...(quirks?.omitResource ? {} : { resource }) };
}
