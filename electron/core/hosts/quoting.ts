/**
 * One argument for a POSIX shell, as it is when plain, else in single quotes (a quote inside leaves and enters them).
 */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A TOML basic string (TOML 1.0, String). JSON escapes are a subset, but for DEL, which TOML forbids raw. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', String.raw`\u007F`);
}

/** A TOML key: bare where the characters allow it. */
export function tomlKey(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : tomlString(text);
}
