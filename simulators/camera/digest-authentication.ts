import { createHash, timingSafeEqual } from 'node:crypto';

export interface RtspCredentials {
  readonly username: string;
  readonly password: string;
}

const REALM = 'ngatu camera simulator';

/** Value of `WWW-Authenticate`: digest with MD5 and without `qop` (RFC 2617 3.2.1), which every RTSP client speaks. */
export function buildDigestChallenge(nonce: string): string {
  return `Digest realm="${REALM}", nonce="${nonce}", algorithm=MD5`;
}

export interface DigestCheck {
  readonly credentials: RtspCredentials;
  readonly nonce: string;
  readonly method: string;
  /** The URL of the request line. */
  readonly url: string;
  readonly authorization: string | undefined;
}

/** True where the `Authorization` header proves the password for this method and URL under this nonce. */
export function isDigestValid(check: DigestCheck): boolean {
  const { credentials, nonce, method, url } = check;
  const fields = decodeDigestFields(check.authorization ?? '');
  const isForThis =
    fields.get('username') === credentials.username &&
    fields.get('realm') === REALM &&
    fields.get('nonce') === nonce &&
    fields.get('uri') === url;
  if (!isForThis) return false;
  const ha1 = md5(`${credentials.username}:${REALM}:${credentials.password}`);
  const expected = Buffer.from(md5(`${ha1}:${nonce}:${md5(`${method}:${url}`)}`), 'ascii');
  const given = Buffer.from((fields.get('response') ?? '').toLowerCase(), 'utf8');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function decodeDigestFields(authorization: string): Map<string, string> {
  const fields = new Map<string, string>();
  const scheme = /^Digest[ \t]+/i.exec(authorization);
  if (!scheme) return fields;
  for (const match of authorization.slice(scheme[0].length).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,"]+))/g)) {
    fields.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '');
  }
  return fields;
}

/** RFC 2617 prescribes MD5; nothing else is protected by it here. */
function md5(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('hex');
}
