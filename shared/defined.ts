/** The members of `Members`; those that may be undefined are optional instead. */
type Defined<Members> = {
  [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
} & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>;
};

/**
 * A copy without the members that are undefined. With `exactOptionalPropertyTypes` an optional member is either there
 * with a value or absent: `{ ...defined({ scope }) }` says so without a conditional spread for each.
 */
export function defined<const Members extends object>(members: Members): Defined<Members> {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Members>;
}
