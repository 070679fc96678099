import { describe, expect, it } from 'vitest';
import { maskSecrets } from './ffmpeg-child.ts';
import { explainEnd } from './session-failure.ts';

const camera = { kind: 'rtsp', url: 'rtsp://10.0.0.9/1', stallTimeoutMs: 3_000 } as const;
const picture = { width: 1920, height: 1080 };
const explain = (messages: string, framesDecoded = 0, code = 1) =>
  explainEnd(camera, picture, { exit: { code }, messages, framesDecoded });

describe('explainEnd of a camera', () => {
  it.each([
    ['method DESCRIBE failed: 401 Unauthorized', 'CAMERA_UNAUTHORIZED'],
    [
      '[error] rtsp://10.0.0.9/1: Server returned 401 Unauthorized (authorization failed)',
      'CAMERA_UNAUTHORIZED',
    ],
    ['[error] rtsp://10.0.0.9/1: Connection refused', 'CAMERA_UNREACHABLE'],
    ['[error] rtsp://10.0.0.9/1: Server returned 404 Not Found', 'CAMERA_UNREACHABLE'],
    ['[error] rtsp://10.0.0.9/1: Connection timed out', 'CAMERA_STALLED'],
    ["[fatal] Stream map '0:V:0' matches no streams.", 'VIDEO_UNREADABLE'],
    ['', 'CAMERA_UNREACHABLE'],
  ])('%s', (messages, code) => {
    expect(explain(messages)?.code).toBe(code);
  });

  it('takes exit code 0 for a disconnect', () => {
    expect(explain('', 250, 0)).toMatchObject({ code: 'CAMERA_UNREACHABLE', retryable: true });
  });

  it('names both sizes where the picture has another one than the scene', () => {
    const error = explain("[error] Invalid too big or non positive size for width '-1280' or height '-720'");
    expect(error?.code).toBe('VIDEO_UNREADABLE');
    expect(error?.message).toContain('1280×720');
    expect(error?.message).toContain('1920×1080');
  });
});

describe('maskSecrets', () => {
  it('removes credentials from addresses and the password wherever it stands', () => {
    const text = 'rtsp://admin:p%40ss@10.0.0.9/1 failed; sent p@ss, p%40ss';
    expect(maskSecrets(text, ['p@ss'])).toBe('rtsp://***@10.0.0.9/1 failed; sent ***, ***');
  });
});
