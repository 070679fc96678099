import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import { isTextKey, LANGUAGES, type Language, type TextKey, translate } from './dictionary.ts';

const STORAGE_KEY = 'ngatu.language';

export interface Text {
  readonly language: Language;
  setLanguage(language: Language): void;
  t(key: TextKey, values?: Readonly<Record<string, string | number>>): string;
  /** The words of a name that the API sent; the name itself where the dictionary does not know it. */
  nameOf(prefix: string, name: string): string;
}

const TextContext = createContext<Text | undefined>(undefined);

/** The remembered language; storage may be forbidden, then Vietnamese. */
function readLanguage(): Language {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return LANGUAGES.find((language) => language === stored) ?? 'vi';
  } catch (error) {
    console.info('The language cannot be remembered', error);
    return 'vi';
  }
}

function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch (error) {
    console.info('The language cannot be remembered', error);
  }
}

export function LanguageProvider({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState<Language>(readLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    rememberLanguage(language);
  }, [language]);
  const text = useMemo<Text>(
    () => ({
      language,
      setLanguage,
      t: (key, values) => translate(language, key, values),
      nameOf: (prefix, name) => {
        const key = `${prefix}.${name}`;
        return isTextKey(key) ? translate(language, key) : name;
      },
    }),
    [language],
  );
  return <TextContext.Provider value={text}>{children}</TextContext.Provider>;
}

export function useText(): Text {
  const text = useContext(TextContext);
  if (text === undefined) throw new Error('useText needs a LanguageProvider above it');
  return text;
}
