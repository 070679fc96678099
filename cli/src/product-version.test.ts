import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { PRODUCT_VERSION } from './product-version.ts';

it('is the version of the package', () => {
  expect(PRODUCT_VERSION).toBe(manifest.version);
});
