import { describe, expect, it } from 'vitest';
import { readKeychainResponse, readKeychainRequest } from '../../electron/core/vault/keychain-protocol.ts';

const item = { service: 'keybridge', account: 'one' };

describe('a request to the keychain child', () => {
  it.each([
    { id: 1, op: 'get', ...item },
    { id: 1, op: 'delete', ...item },
    { id: 1, op: 'set', ...item, value: '' },
    { id: 1, op: 'probe', service: 'keybridge' },
    { id: 1, op: 'unlock', service: 'keybridge' },
  ])('is accepted unchanged: $op', (request) => {
    expect(readKeychainRequest(request)).toEqual(request);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'get'],
    ['a list', [1, 'get']],
    ['one without an id', { op: 'get', ...item }],
    ['one whose id is a string', { id: '1', op: 'get', ...item }],
    ['one whose id is not a number', { id: Number.NaN, op: 'get', ...item }],
    ['one with an unknown operation', { id: 1, op: 'findCredentials', ...item }],
    ['one whose operation is a member of every object', { id: 1, op: 'toString', ...item }],
    ['one without a service', { id: 1, op: 'get', account: 'one' }],
    ['one with an empty service', { id: 1, op: 'get', ...item, service: '' }],
    ['one with an empty account', { id: 1, op: 'get', ...item, account: '' }],
    ['a set without a value', { id: 1, op: 'set', ...item }],
    ['a set whose value is an object', { id: 1, op: 'set', ...item, value: {} }],
    ['a get with a value', { id: 1, op: 'get', ...item, value: 'x' }],
    ['a probe with an account', { id: 1, op: 'probe', ...item }],
    ['one with an unknown member', { id: 1, op: 'get', ...item, extra: true }],
  ])('is rejected: %s', (_name, request) => {
    expect(readKeychainRequest(request)).toBeUndefined();
  });
});

describe('a response of the keychain child', () => {
  it.each([
    { kind: 'found', value: 'secret' },
    { kind: 'absent' },
    { kind: 'done' },
    { kind: 'ready' },
    { kind: 'stale' },
    { kind: 'locked', detail: 'x' },
    { kind: 'denied', detail: 'x' },
    { kind: 'unavailable', detail: '' },
  ])('is accepted without its unknown members: $kind', (result) => {
    expect(readKeychainResponse({ id: 7, result: { ...result, extra: 1 }, extra: 1 })).toEqual({ id: 7, result });
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['one without an id', { result: { kind: 'done' } }],
    ['one without a result', { id: 7 }],
    ['one whose result is a string', { id: 7, result: 'done' }],
    ['one with an unknown kind', { id: 7, result: { kind: 'fine' } }],
    ['a value that is not text', { id: 7, result: { kind: 'found', value: null } }],
    ['a fault without a detail', { id: 7, result: { kind: 'locked' } }],
  ])('is rejected: %s', (_name, response) => {
    expect(readKeychainResponse(response)).toBeUndefined();
  });
});
