import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  CAMERA_STATE_REASONS,
  CAMERA_STATES,
  DIRECTIVE_KINDS,
  EVENT_KINDS,
  EVIDENCE_ROLES,
  LET_PASS_REASONS,
  NETWORK_USES,
  PLATE_REASONS,
  PLATE_STATES,
  READINESS_ITEMS,
  ROAD_USER_LABELS,
  SIGNAL_STATES,
} from '@ngatu/contract';
import { expect, it } from 'vitest';
import { DICTIONARY, isTextKey, LANGUAGES, translate } from './dictionary.ts';
import { KINDS } from './kind.ts';

const keys = Object.keys(DICTIONARY.vi);

it('has every key in both languages, with words and the same values', () => {
  expect(Object.keys(DICTIONARY.en).sort()).toEqual([...keys].sort());
  const valuesOf = (words: string) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of keys.filter(isTextKey)) {
    for (const language of LANGUAGES)
      expect(DICTIONARY[language][key].trim(), `${language} ${key}`).not.toBe('');
    expect(valuesOf(DICTIONARY.en[key]), key).toEqual(valuesOf(DICTIONARY.vi[key]));
  }
});

it('is translated, not copied', () => {
  const SAME_IN_BOTH = [
    'app.name',
    'nav.cameras',
    'cameras.title',
    'events.filter.camera',
    'event.camera',
    'media.clip',
    'media.alt',
    'evidence.sha',
    'decision.entry',
    'cameras.share',
    'directive.by',
    'duration.ms',
    'models.column.digest',
  ];
  const copied = keys.filter(isTextKey).filter((key) => DICTIONARY.vi[key] === DICTIONARY.en[key]);
  expect(SAME_IN_BOTH).toEqual(expect.arrayContaining(copied));
});

it('has words for every name of the contract', () => {
  const names = [
    ...EVENT_KINDS.map((kind) => `kind.${kind}`),
    ...ROAD_USER_LABELS.map((label) => `label.${label}`),
    ...SIGNAL_STATES.map((state) => `signal.${state}`),
    ...LET_PASS_REASONS.map((reason) => `letPass.${reason}`),
    ...READINESS_ITEMS.map((item) => `readiness.${item}`),
    ...DIRECTIVE_KINDS.flatMap((kind) => [`directive.${kind}`, `directive.${kind}.meaning`]),
    ...EVIDENCE_ROLES.map((role) => `media.${role}`),
    ...['road-users', ...NETWORK_USES].map((use) => `models.use.${use}`),
    ...PLATE_STATES.map((state) => `plate.state.${state}`),
    ...PLATE_REASONS.map((reason) => `plate.reason.${reason}`),
    ...CAMERA_STATES.flatMap((state) => [`state.${state}`, `share.${state}`]),
    ...CAMERA_STATE_REASONS.map((reason) => `blind.${reason}`),
  ];
  for (const name of names) expect(isTextKey(name), name).toBe(true);
  expect([...KINDS].sort()).toEqual([...EVENT_KINDS].sort());
});

it('fills values in and leaves what it was not given', () => {
  expect(translate('en', 'event.clockError.value', { duration: '40 ms' })).toBe('within ±40 ms');
  expect(translate('vi', 'event.clockError.value')).toContain('{duration}');
});

it('holds no words that the console never says', async () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const names = (await readdir(folder)).filter(
    (name) => /\.tsx?$/.test(name) && !/^dictionary|\.test\./.test(name),
  );
  const sources = await Promise.all(names.map((name) => readFile(folder + name, 'utf8')));
  const text = sources.join('\n');
  // A key may be put together from its prefix and a name: `kind.${kind}`, nameOf('label', …).
  const prefixes = [...text.matchAll(/`([a-z.A-Z]+\.)\$\{/g), ...text.matchAll(/nameOf\('(\w+)'/g)].map(
    ([, prefix = '']) => (prefix.endsWith('.') ? prefix : `${prefix}.`),
  );
  const unused = keys.filter(
    (key) => !text.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)),
  );
  expect(unused).toEqual([]);
});
