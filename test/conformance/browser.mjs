#!/usr/bin/env node
// A browser without a window that follows redirects. The suite's authorization servers approve immediately.
const address = process.argv.at(-1);
const end = new AbortController();
// Does not wait for a page that stays open.
setTimeout(() => end.abort(), 15_000).unref();
try {
  const page = await fetch(address, { signal: end.signal });
  await page.text();
} catch {
  // The suite's servers see the result.
}
