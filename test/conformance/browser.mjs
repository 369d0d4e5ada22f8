#!/usr/bin/env node
// A browser without a window: goes where the address leads. The suite's authorization servers approve at once.
const address = process.argv.at(-1);
const end = new AbortController();
// A page that stays open is no reason to stay.
setTimeout(() => end.abort(), 15_000).unref();
try {
  const page = await fetch(address, { signal: end.signal });
  await page.text();
} catch {
  // What the page was is seen at the servers.
}
