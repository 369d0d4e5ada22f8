import { describe, expect, it } from 'vitest';
import { classifyAddress } from '../../electron/core/http/address.ts';
import type { AddressClass } from '../../electron/core/http/http.ts';

describe('the class of an address', () => {
  const cases: Record<AddressClass, readonly string[]> = {
    public: [
      '8.8.8.8',
      '172.32.0.1',
      '100.128.0.1',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
      '64:ff9b::808:808',
      '2002:808:808::1',
    ],
    loopback: [
      '127.0.0.1',
      '127.255.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ],
    private: [
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '100.64.0.1',
      '198.18.0.1',
      'fd00::1',
      'fc00::1',
      '::ffff:10.0.0.1',
      '::ffff:c0a8:101',
      '64:ff9b::a00:1',
    ],
    link_local: ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254'],
    unspecified: [
      '0.0.0.0',
      '0.1.2.3',
      '::',
      '224.0.0.1',
      '255.255.255.255',
      '240.0.0.1',
      'ff02::1',
      '192.0.2.1',
      '2001:db8::1',
      '2001::1',
      'no address',
      '',
    ],
  };
  for (const [expected, addresses] of Object.entries(cases)) {
    it.each(addresses)(`DM15: %s is ${expected}`, (address) => {
      expect(classifyAddress(address)).toBe(expected);
    });
  }
});
