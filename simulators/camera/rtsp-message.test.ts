import { describe, expect, it } from 'vitest';
import { encodeRtspResponse, RtspRequestParser, RtspSyntaxError } from './rtsp-message.ts';

const rtcp = Buffer.from([0x24, 1, 0, 5, 0x0d, 0x0a, 0x0d, 0x0a, 0x24]);
const stream = Buffer.concat([
  Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'),
  rtcp,
  Buffer.from('\r\nSET_PARAMETER rtsp://a/b RTSP/1.0\r\ncseq:2  \r\nContent-Length: 4\r\n\r\nABCD'),
  rtcp,
  Buffer.from('PLAY rtsp://a/b RTSP/1.0\r\nCSeq: 3\r\nSession : x;timeout=60\r\n\r\n'),
]);

const parse = (chunks: readonly Buffer[]) => {
  const parser = new RtspRequestParser();
  return chunks.flatMap((chunk) => [...parser.push(chunk)]);
};

describe('RtspRequestParser', () => {
  it('finds the same requests however the bytes are cut', () => {
    const whole = parse([stream]);
    expect(whole.map((request) => [request.method, request.url, request.headers.get('cseq')])).toEqual([
      ['OPTIONS', '*', '1'],
      ['SET_PARAMETER', 'rtsp://a/b', '2'],
      ['PLAY', 'rtsp://a/b', '3'],
    ]);
    expect(whole[2]?.headers.get('session')).toBe('x;timeout=60');
    for (let size = 1; size < 40; size += 1) {
      const chunks = [];
      for (let start = 0; start < stream.length; start += size)
        chunks.push(stream.subarray(start, start + size));
      expect(parse(chunks), `in chunks of ${size}`).toEqual(whole);
    }
  });

  it.each([
    ['no method', 'options * RTSP/1.0\r\n\r\n', 400],
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['another version', 'OPTIONS * RTSP/2.0\r\n\r\n', 505],
    ['a line that is no header', 'OPTIONS * RTSP/1.0\r\nwhat\r\n\r\n', 400],
    ['a length that is no number', 'PLAY * RTSP/1.0\r\nContent-Length: -1\r\n\r\n', 400],
    ['a huge body', 'PLAY * RTSP/1.0\r\nContent-Length: 65537\r\n\r\n', 413],
    ['an endless head', `PLAY ${'a'.repeat(16_400)}`, 413],
  ])('refuses %s', (_, text, status) => {
    expect(() => parse([Buffer.from(text)])).toThrow(RtspSyntaxError);
    expect(() => parse([Buffer.from(text)])).toThrow(expect.objectContaining({ status }));
  });
});

describe('encodeRtspResponse', () => {
  it('counts the bytes of the body, not its characters', () => {
    const text = encodeRtspResponse(
      { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'ngã' },
      '7',
    ).toString();
    expect(text).toMatch(/^RTSP\/1\.0 200 OK\r\nCSeq: 7\r\n/);
    expect(text).toMatch(/Content-Length: 4\r\n\r\nngã$/);
  });
});
