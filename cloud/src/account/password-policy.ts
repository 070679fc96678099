/** As many different characters as keep "aaaaaaaaaaaa" and "121212121212" out. */
const DIFFERENT_CHARACTERS = 5;
/** Longer ones only cost time (argon2id takes any length). */
export const PASSWORD_MAX_LENGTH = 256;
const RUNS = ['01234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
/** Characters of a run (`45678`, `poiuyt`) that count as one. */
const RUN_LENGTH = 5;

function reverse(text: string): string {
  return [...text].reverse().join('');
}

/** The text with every stretch along the keyboard or the alphabet taken out. */
function dropRuns(text: string): string {
  let rest = text;
  for (const run of RUNS.flatMap((known) => [known, reverse(known)])) {
    for (let at = 0; at + RUN_LENGTH <= run.length; at += 1)
      rest = rest.replaceAll(run.slice(at, at + RUN_LENGTH), '');
  }
  return rest;
}

/**
 * Why a password that a person chose cannot be taken, or undefined. Length does the work, as NIST SP 800-63B asks; what is
 * refused besides is what guessers try first. There is no list of leaked passwords: a centre may have no network.
 */
export function findPasswordFault(
  password: string,
  rule: { readonly username: string; readonly minLength: number },
): string | undefined {
  const length = [...password].length;
  if (length < rule.minLength) return `Expected at least ${rule.minLength} characters`;
  if (length > PASSWORD_MAX_LENGTH) return `Expected at most ${PASSWORD_MAX_LENGTH} characters`;
  const plain = password.toLowerCase();
  if (rule.username.length >= 3 && plain.includes(rule.username.toLowerCase()))
    return 'Expected a password without the user name in it';
  if (new Set(plain).size < DIFFERENT_CHARACTERS)
    return `Expected at least ${DIFFERENT_CHARACTERS} different characters`;
  if ([...dropRuns(plain)].length < Math.ceil(rule.minLength / 2))
    return 'Expected more than a run along the keyboard';
  return undefined;
}
