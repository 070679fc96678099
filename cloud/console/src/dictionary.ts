import { en } from './dictionary-en.ts';
import { type TextKey, vi } from './dictionary-vi.ts';

export type { TextKey };

export const LANGUAGES = ['vi', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export const DICTIONARY: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { vi, en };

/** True where the dictionary has the key: for keys that are built from what the API sends. */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(vi, key);
}

/** The words of `key` with its values filled in. */
export function translate(
  language: Language,
  key: TextKey,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return DICTIONARY[language][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}
