import { type ErrorCode, NgatuError } from '@ngatu/contract';
import { findSizeMismatch } from './ffmpeg-arguments.ts';
import type { ChildExit } from './ffmpeg-child.ts';
import type { VideoInput } from './video-source.ts';

/** What is known of a child that ended without having been asked to. */
export interface ChildEnd {
  readonly exit: ChildExit;
  /** Last messages of ffmpeg, without secrets. */
  readonly messages: string;
  readonly framesDecoded: number;
}

/** Says in one line what the input is; without credentials. */
export function describeInput(input: VideoInput): string {
  return input.kind === 'file' ? `video file "${input.path}"` : `camera ${input.url}`;
}

/** Why the child ended, or undefined where a file was read to its end. */
export function explainEnd(
  input: VideoInput,
  picture: { width: number; height: number },
  end: ChildEnd,
): NgatuError | undefined {
  const what = describeInput(input);
  const size = findSizeMismatch(end.messages);
  if (size !== undefined) {
    return new NgatuError(
      'VIDEO_UNREADABLE',
      `Cannot analyse ${what}: its picture is ${size.width}×${size.height}, the scene is drawn for ${picture.width}×${picture.height}`,
    );
  }
  return input.kind === 'file' ? explainFileEnd(what, end) : explainCameraEnd(what, end);
}

function explainFileEnd(what: string, end: ChildEnd): NgatuError | undefined {
  const cannotOpen = /(No such file or directory|Permission denied|Is a directory)/.exec(end.messages);
  if (end.framesDecoded === 0 && cannotOpen !== null) {
    return new NgatuError('FILE_UNREADABLE', `Cannot read ${what}: ${cannotOpen[1]}`);
  }
  const cutOff = end.messages.includes('partial file');
  if (end.exit.code === 0 && end.framesDecoded > 0 && !cutOff) return undefined;
  const reason = findLastMessage(end.messages) ?? describeExit(end.exit);
  let result = `decoding ended after ${end.framesDecoded} pictures`;
  if (cutOff) result = `the file is cut off after ${end.framesDecoded} pictures`;
  if (end.framesDecoded === 0) result = 'no picture could be decoded';
  return new NgatuError('VIDEO_UNREADABLE', `Cannot read ${what}: ${result} (${reason})`);
}

/** What ffmpeg 5.1 writes for each failure of an RTSP server; the first that matches counts. */
const CAMERA_FAILURES: readonly {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly why: string;
}[] = [
  {
    pattern: /40[13] (Unauthorized|Forbidden)|authorization failed|access denied/i,
    code: 'CAMERA_UNAUTHORIZED',
    why: 'it refused the user name and password',
  },
  { pattern: /404|Not Found/i, code: 'CAMERA_UNREACHABLE', why: 'it has no stream of this address' },
  { pattern: /Connection refused/i, code: 'CAMERA_UNREACHABLE', why: 'the connection was refused' },
  {
    pattern: /Failed to resolve|Name or service not known/i,
    code: 'CAMERA_UNREACHABLE',
    why: 'its host name is unknown',
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down/i,
    code: 'CAMERA_UNREACHABLE',
    why: 'there is no route to it',
  },
  {
    pattern: /timed out|Operation timed out/i,
    code: 'CAMERA_STALLED',
    why: 'it sent nothing within the time limit',
  },
  { pattern: /matches no streams/i, code: 'VIDEO_UNREADABLE', why: 'the stream has no video' },
  {
    pattern: /Decoder .* not found|Could not find codec parameters|Invalid data found/i,
    code: 'VIDEO_UNREADABLE',
    why: 'the stream cannot be decoded',
  },
];

function explainCameraEnd(what: string, end: ChildEnd): NgatuError {
  const known = CAMERA_FAILURES.find(({ pattern }) => pattern.test(end.messages));
  // ffmpeg exits with 0 when the server dies or says goodbye.
  const code =
    end.framesDecoded > 0 && known?.code !== 'CAMERA_STALLED'
      ? 'CAMERA_UNREACHABLE'
      : (known?.code ?? 'CAMERA_UNREACHABLE');
  const why = end.framesDecoded > 0 ? 'the stream broke off' : (known?.why ?? 'the stream ended');
  const detail = findLastMessage(end.messages) ?? describeExit(end.exit);
  if (end.messages.includes('No space left on device')) {
    return new NgatuError('DISK_FULL', `Cannot keep the stream of ${what}: the disk is full`, {
      retryable: true,
    });
  }
  return new NgatuError(code, `Cannot read ${what}: ${why} (${detail})`, { retryable: true });
}

function findLastMessage(messages: string): string | undefined {
  const lines = messages.split('\n').filter((line) => line.trim().length > 0);
  const errors = lines.filter((line) => line.includes('[error]') || line.includes('[fatal]'));
  return (errors.at(-1) ?? lines.at(-1))?.trim().slice(0, 300);
}

function describeExit(exit: ChildExit): string {
  return exit.signal === undefined
    ? `ffmpeg ended with ${exit.code ?? 'no code'}`
    : `ffmpeg was ended by ${exit.signal}`;
}
