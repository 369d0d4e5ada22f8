import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../renderer/server/settings/problems.ts';
import { settingsForm } from '../../renderer/server/settings/settings-change.ts';
import { isLoopbackHost } from '../../shared/loopback.ts';

const thisComputer = [
  'http://localhost:8080/mcp',
  'http://LOCALHOST/mcp',
  'http://127.0.0.1/mcp',
  'http://127.255.255.254:1/mcp',
  // The URL parser completes these to 127.0.0.1.
  'http://127.1/mcp',
  'http://0x7f000001/mcp',
  'http://[::1]:8080/mcp',
  'http://[0:0:0:0:0:0:0:1]/mcp',
];

const elsewhere = [
  'http://127.evil.example/mcp',
  'http://127.0.0.1.evil.example/mcp',
  'http://localhost.evil.example/mcp',
  'http://evil.example/127.0.0.1',
  'http://127.0.0.1@evil.example/mcp',
  'http://128.0.0.1/mcp',
  'http://0.0.0.0/mcp',
  'http://10.0.0.1/mcp',
  'http://[::]/mcp',
  'http://[::ffff:127.0.0.1]/mcp',
];

/** The settings form's error for this issuer of the company sign-in. */
function issuerProblem(issuer: string): string | undefined {
  const form = settingsForm({
    ownClient: false,
    allowMissingPkce: false,
    settings: { grant: 'enterprise_managed', enterprise: { issuer, clientId: 'keybridge' } },
  });
  return problemsOf(form, [])['settings.enterprise.issuer'];
}

describe('isLoopbackHost', () => {
  it.each(thisComputer)('is true for %s', (address) => {
    expect(isLoopbackHost(new URL(address))).toBe(true);
  });

  it.each(elsewhere)('is false for %s', (address) => {
    expect(isLoopbackHost(new URL(address))).toBe(false);
  });

  it.each(thisComputer)('lets the settings form accept plain http at %s', (address) => {
    expect(issuerProblem(address)).toBeUndefined();
  });

  it.each([...elsewhere, 'ftp://127.0.0.1/mcp', 'not an address'])('lets the settings form reject %s', (address) => {
    expect(issuerProblem(address)).toBeDefined();
  });
});
