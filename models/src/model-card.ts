import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf } from '@ngatu/contract';

/** What every card says, in this order. */
export const CARD_HEADINGS = [
  'Intended use',
  'Data',
  'Quality',
  'Limits',
  'Bias',
  'Licence and attribution',
] as const;

const CARD = 'card.md';
const DATE = /\b20\d\d-\d\d-\d\d\b/;
const UNMEASURED = /not measured here/i;

/** What is wrong with the card in the folder of a manifest; nothing where it says all that it must. */
export function findCardProblems(folder: string): string[] {
  let text: string;
  try {
    text = readFileSync(join(folder, CARD), 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return [`there is no ${CARD}`];
  }
  return judgeModelCard(text);
}

/** What is wrong with the text of a card. Figures need the day on which they were measured; where there are none, the card says so. */
export function judgeModelCard(text: string): string[] {
  const sections = splitSections(text);
  const problems = CARD_HEADINGS.filter((heading) => (sections.get(heading) ?? '').trim() === '').map(
    (heading) => `it says nothing under "## ${heading}"`,
  );
  const quality = sections.get('Quality') ?? '';
  if (quality.trim() !== '' && !DATE.test(quality) && !UNMEASURED.test(quality))
    problems.push('under "## Quality" stand neither a date nor the words "not measured here"');
  return problems;
}

function splitSections(text: string): ReadonlyMap<string, string> {
  const [, ...parts] = `\n${text}`.split(/\n## +/);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return [heading.trim(), lines.join('\n')];
    }),
  );
}
