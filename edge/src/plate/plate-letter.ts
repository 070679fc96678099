import type { PlateCharacter } from './plate-reading.ts';

/** Alternatives below this are noise. */
const MIN_ALTERNATIVE = 0.0005;
const MAX_ALTERNATIVES = 5;

/**
 * What the places of the likeliest text may be: the shares of all texts of its length, place by place. Texts of another length count
 * against every place.
 * @param texts likeliest first, shares adding up to at most 1
 */
export function describeCharacters(
  texts: readonly { readonly text: string; readonly share: number }[],
): PlateCharacter[] {
  const [best] = texts;
  if (best === undefined) return [];
  return [...best.text].map((character, place) => {
    const shares = new Map<string, number>();
    for (const { text, share } of texts) {
      const other = text[place];
      if (text.length !== best.text.length || other === undefined) continue;
      shares.set(other, (shares.get(other) ?? 0) + share);
    }
    const alternatives = [...shares]
      .filter(([other, share]) => other !== character && share >= MIN_ALTERNATIVE)
      .sort((a, b) => b[1] - a[1])
      .slice(0, MAX_ALTERNATIVES)
      .map(([other, share]) => ({ character: other, confidence: Math.min(1, share) }));
    return { character, confidence: Math.min(1, shares.get(character) ?? 0), alternatives };
  });
}
