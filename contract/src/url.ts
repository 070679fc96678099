/**
 * The address that `text` is, or undefined where it is none. `URL.canParse` is not asked: once it is compiled, Node 20 reads the bytes
 * of a Latin-1 string there as UTF-8, and says yes to what `new URL` refuses.
 */
export function toUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
