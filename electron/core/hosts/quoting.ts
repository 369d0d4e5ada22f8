/**
 * Returns an argument for a POSIX shell: unchanged if plain, otherwise in single quotes. A quote inside ends the
 * quotes, is escaped, and starts them again.
 */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Returns a TOML basic string (TOML 1.0, String). JSON escapes are valid there; only DEL must be escaped too. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', String.raw`\u007F`);
}

/** Returns a TOML key: bare if its characters allow it, otherwise quoted. */
export function tomlKey(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : tomlString(text);
}
