import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

const perProcessKey = randomBytes(32);

/**
 * A value that must not be printed: a token, a client secret, a code, a verifier. Every conversion to text returns
 * `[secret]`. Only `reveal()` returns the value, so that its uses are easy to find.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  /** Eight hex digits that identify the secret within one run of the program and reveal nothing about it. */
  fingerprint(): string {
    return createHmac('sha256', perProcessKey).update(this.#value).digest('hex').slice(0, 8);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
