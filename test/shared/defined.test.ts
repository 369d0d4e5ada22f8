import { expect, it } from 'vitest';
import { defined } from '../../shared/defined.ts';

interface Options {
  readonly name: string;
  readonly scope?: string;
  readonly retries?: number;
}

const optionsFor = (scope: string | undefined, retries: number | undefined): Options => ({
  name: 'one',
  ...defined({ scope, retries }),
});

it('leaves out the members that are undefined, and no others', () => {
  expect(Object.keys(optionsFor(undefined, undefined))).toEqual(['name']);
  expect(optionsFor('', 0)).toEqual({ name: 'one', scope: '', retries: 0 });
  expect(defined({ none: null, off: false })).toEqual({ none: null, off: false });
});
