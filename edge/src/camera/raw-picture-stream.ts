import type { Readable } from 'node:stream';

/**
 * Cuts a byte stream into pictures of `sizeBytes`. Each picture is a buffer of its own that is filled from the chunks;
 * whoever takes it owns it. Bytes that make no whole picture at the end are dropped. Reads no further than it is asked to.
 */
export async function* readRawPictures(stream: Readable, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let picture = Buffer.allocUnsafeSlow(sizeBytes);
  let filled = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    let offset = 0;
    while (offset < bytes.length) {
      const count = Math.min(sizeBytes - filled, bytes.length - offset);
      bytes.copy(picture, filled, offset, offset + count);
      filled += count;
      offset += count;
      if (filled === sizeBytes) {
        yield picture;
        picture = Buffer.allocUnsafeSlow(sizeBytes);
        filled = 0;
      }
    }
  }
}
