import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { waitUntil } from './rtsp-test-client.ts';
import { StreamViewer } from './stream-viewer.ts';

describe('StreamViewer', () => {
  it('drops until a keyframe fits again when its client does not read, and counts', async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
    const [client] = (await once(server, 'connection')) as [Socket];
    try {
      const viewer = new StreamViewer(socket, { rtpChannel: 0, bufferMaxBytes: 1_000_000 });
      const send = (isKeyframe: boolean) =>
        viewer.sendAccessUnit({ wire: Buffer.alloc(400_000, 0x24), packetCount: 300, isKeyframe });
      expect(send(false)).toBe(false);
      expect(send(true)).toBe(true);
      let sent = 1;
      // fills the kernel's buffers of both ends first
      while (send(false)) {
        sent += 1;
        expect(sent).toBeLessThan(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(socket.writableLength).toBeLessThanOrEqual(1_000_000);
      expect(send(true)).toBe(false);
      expect(viewer.accessUnitsDropped).toBe(3);
      let receivedBytes = 0;
      client.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
      });
      client.resume();
      await waitUntil(() => receivedBytes === sent * 400_000);
      expect(send(false)).toBe(false);
      expect(send(true)).toBe(true);
      expect(send(false)).toBe(true);
      await waitUntil(() => receivedBytes === (sent + 2) * 400_000);
      expect(viewer.packetsSent).toBe((sent + 2) * 300);
      expect(viewer.payloadBytesSent).toBe((sent + 2) * (400_000 - 300 * 16));
    } finally {
      socket.destroy();
      client.destroy();
      server.close();
    }
  });
});
