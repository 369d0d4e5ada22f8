/** `Members`, with those that may be undefined made optional. */
type Defined<Members> = {
  [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
} & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>;
};

/**
 * Returns a copy without the members that are undefined. With `exactOptionalPropertyTypes` an optional member must be
 * absent instead, so `{ ...defined({ scope }) }` replaces a conditional spread.
 */
export function defined<const Members extends object>(members: Members): Defined<Members> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Members>;
}
