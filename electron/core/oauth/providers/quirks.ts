import type { TokenQuirks } from '../../vault/credential.ts';

/**
 * What every token request of this client carries besides its grant: extra parameters, and `resource` unless it is left
 * out.
 */
export function tokenParameters({
  resource,
  quirks,
}: {
  readonly resource: string;
  readonly quirks?: TokenQuirks;
}): Record<string, string> {
  return { ...quirks?.parameters, ...(quirks?.omitResource ? {} : { resource }) };
}
