import { describe, expect, it } from 'vitest';
import { ERROR_CODES, errorMessage, NgatuError } from './error-code.ts';

describe('ERROR_CODES', () => {
  it.each(Object.entries(ERROR_CODES))(
    '%s is a stable name with one sentence for people',
    (code, meaning) => {
      expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)*$/);
      expect(meaning).toMatch(/^(apt|[A-Z]).{10,}\.$/);
    },
  );

  it('says each thing once', () => {
    const meanings = Object.values(ERROR_CODES);
    expect(new Set(meanings).size).toBe(meanings.length);
  });
});

describe('NgatuError', () => {
  it('carries its code, and says whether trying again may help', () => {
    const cause = new Error('connection refused');
    const error = new NgatuError('BROKER_UNREACHABLE', 'Cannot connect to the broker', {
      retryable: true,
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'NgatuError', code: 'BROKER_UNREACHABLE', retryable: true, cause });
    expect(error.stack).toContain('error-code.test.ts');
  });

  it('is not to be tried again, and has no cause, unless said', () => {
    const error = new NgatuError('USAGE', 'Cannot understand "--x"');
    expect(error.retryable).toBe(false);
    expect('cause' in error).toBe(false);
  });
});

describe('errorMessage', () => {
  it('finds the words of whatever was thrown', () => {
    expect(errorMessage(new NgatuError('USAGE', 'Wrong'))).toBe('Wrong');
    expect(errorMessage('text')).toBe('text');
    expect(errorMessage(undefined)).toBe('undefined');
    expect(errorMessage(null)).toBe('null');
  });
});
