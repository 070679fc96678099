/** An element of an XML document: what annotations are made of, and no more. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed; not that of its children. */
  readonly text: string;
}

const MAX_CHARS = 4 * 1024 * 1024;
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 100_000;
const NAME = /^[A-Za-z_][\w.-]*$/;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** Why a document was refused; line from 1. */
export class XmlRefusal extends Error {
  constructor(text: string, at: number, reason: string) {
    super(`line ${text.slice(0, at).split('\n').length}: ${reason}`);
    this.name = 'XmlRefusal';
  }
}

/**
 * Reads a document of elements and text; attributes are skipped. Declarations of types and entities are refused, so that nothing unfolds and
 * nothing is fetched; so is everything that is not well formed.
 * @throws XmlRefusal
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_CHARS) throw new XmlRefusal('', 0, `longer than ${MAX_CHARS} characters`);
  const reader = new XmlReader(text.startsWith('\uFEFF') ? text.slice(1) : text);
  return reader.read();
}

class XmlReader {
  readonly #text: string;
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;
  #at = 0;
  #count = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): XmlElement {
    while (this.#at < this.#text.length) {
      const next = this.#text.indexOf('<', this.#at);
      this.#addText(this.#text.slice(this.#at, next < 0 ? undefined : next));
      if (next < 0) break;
      this.#at = next;
      this.#readMarkup();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw this.#refuse(`<${unclosed.name}> is not closed`);
    if (this.#root === undefined) throw this.#refuse('there is no element');
    return this.#root;
  }

  #readMarkup(): void {
    if (this.#text.startsWith('<!--', this.#at)) this.#skipPast('-->', 'a comment');
    else if (this.#text.startsWith('<?', this.#at)) this.#skipPast('?>', 'an instruction');
    else if (this.#text.startsWith('<!', this.#at))
      throw this.#refuse('declarations (types, entities, character data) are not taken');
    else this.#readTag();
  }

  #readTag(): void {
    const end = this.#text.indexOf('>', this.#at);
    if (end < 0) throw this.#refuse('a tag is not closed');
    const tag = this.#text.slice(this.#at + 1, end);
    if (tag.includes('<')) throw this.#refuse('a tag is not closed');
    if (tag.startsWith('/')) this.#close(tag.slice(1).trim());
    else this.#begin(tag);
    this.#at = end + 1;
  }

  #begin(tag: string): void {
    const isEmpty = tag.endsWith('/');
    const name = (isEmpty ? tag.slice(0, -1) : tag).trim().split(/\s/, 1)[0] ?? '';
    if (!NAME.test(name)) throw this.#refuse('a tag has no name');
    if (this.#root !== undefined) throw this.#refuse('there is more than one element at the top');
    this.#count += 1;
    if (this.#count > MAX_ELEMENTS) throw this.#refuse(`more than ${MAX_ELEMENTS} elements`);
    if (this.#open.length >= MAX_DEPTH) throw this.#refuse(`nested deeper than ${MAX_DEPTH}`);
    this.#open.push({ name, children: [], text: '' });
    if (isEmpty) this.#close(name);
  }

  #close(name: string): void {
    const element = this.#open.pop();
    if (element?.name !== name) throw this.#refuse(`</${name.slice(0, 40)}> closes nothing`);
    const done: XmlElement = { ...element, text: element.text.trim() };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = done;
    else parent.children.push(done);
  }

  #addText(raw: string): void {
    const element = this.#open.at(-1);
    if (element === undefined) {
      if (raw.trim() !== '') throw this.#refuse('text outside of the element at the top');
      return;
    }
    element.text += raw.replaceAll(/&([^;&\s]{0,12});?/g, (whole, name: string) => this.#unfold(whole, name));
  }

  #unfold(whole: string, name: string): string {
    const known = ENTITIES[name];
    const code = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const point =
      code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    if (whole.endsWith(';') && known !== undefined) return known;
    if (whole.endsWith(';') && point > 0 && point <= 0x10ffff) return String.fromCodePoint(point);
    throw this.#refuse(`the entity ${whole.slice(0, 14)} is not known`);
  }

  #skipPast(mark: string, what: string): void {
    const end = this.#text.indexOf(mark, this.#at);
    if (end < 0) throw this.#refuse(`${what} is not closed`);
    this.#at = end + mark.length;
  }

  #refuse(reason: string): XmlRefusal {
    return new XmlRefusal(this.#text, this.#at, reason);
  }
}

/** The only child of a name; undefined where there is none or there are several. */
export function findChild(element: XmlElement, name: string): XmlElement | undefined {
  const named = element.children.filter((child) => child.name === name);
  return named.length === 1 ? named[0] : undefined;
}
