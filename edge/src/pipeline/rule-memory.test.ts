import { describe, expect, it } from 'vitest';
import type { RuleMemory } from '../rules/rule.ts';
import { decodeRuleMemory, encodeRuleMemory } from './rule-memory.ts';

const MEMORY: RuleMemory = {
  'no-parking': [{ box: [10, 20, 110.5, 90], label: 'car', lastSeenAtMs: 1_751_328_000_000 }],
  other: [],
};

describe('rule memory', () => {
  it('comes back as it was saved', () => {
    expect(decodeRuleMemory(encodeRuleMemory(MEMORY, 'aa'), 'aa')).toEqual(MEMORY);
  });

  it('is not taken over into another scene, nor from another format', () => {
    expect(decodeRuleMemory(encodeRuleMemory(MEMORY, 'aa'), 'bb')).toBeUndefined();
    expect(decodeRuleMemory('{"sceneSha256":"aa","rules":{"x":[{"box":[1,2]}]}}', 'aa')).toBeUndefined();
    expect(decodeRuleMemory('[]', 'aa')).toBeUndefined();
  });
});
