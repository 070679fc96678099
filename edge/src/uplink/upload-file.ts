import { type ReceivedPart, UPLOAD_PART_MIN_BYTES, type UploadPart } from '@ngatu/contract';

/** One stretch of a file and what is known of it at the centre. */
export interface PartState extends UploadPart {
  /** Bytes that the centre has; unknown after an exchange that broke. */
  offset: number | undefined;
  /** Whether the centre knows the part. */
  created: boolean;
  busy: boolean;
}

/** A part is this fraction of what is left: the last ones are short and end nearly together, the first ones cost few round trips. */
const PART_FRACTION = 1 / 24;
/** One exchange of at most some seconds on a slow flow; few enough parts that the centre can name all of them. */
const PART_MAX_BYTES = 512 * 1024;

/** A file that is being sent: its parts, of which several travel side by side. */
export class UploadFile {
  readonly sha256: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly parts: readonly PartState[];
  /** What the centre holds is not what was thought: no part is begun before it is asked again. */
  isStale = false;

  constructor(
    file: { readonly sha256: string; readonly path: string; readonly sizeBytes: number },
    received: readonly ReceivedPart[],
  ) {
    this.sha256 = file.sha256;
    this.path = file.path;
    this.sizeBytes = file.sizeBytes;
    const known = new Map(received.map((part) => [`${part.start}+${part.length}`, part.received]));
    this.parts = splitFile(file.sizeBytes).map(({ start, length }) => {
      const offset = known.get(`${start}+${length}`);
      return {
        ...{ sha256: file.sha256, start, length, busy: false },
        offset: offset ?? 0,
        created: offset !== undefined,
      };
    });
  }

  get isIdle(): boolean {
    return this.parts.every(({ busy }) => !busy);
  }

  get isComplete(): boolean {
    return this.parts.every(({ offset, length }) => offset === length);
  }

  /** The next part to send, in the order of the file. */
  nextPart(): PartState | undefined {
    if (this.isStale) return undefined;
    return this.parts.find(({ busy, offset, length }) => !busy && offset !== length);
  }
}

/**
 * Parts that become shorter towards the end. They follow from the size alone, so that a node which was started anew cuts at the same
 * places; what is over goes to the last one.
 */
export function splitFile(sizeBytes: number): { start: number; length: number }[] {
  const parts: { start: number; length: number }[] = [];
  for (let start = 0; start < sizeBytes; ) {
    const left = sizeBytes - start;
    const fairBytes = Math.min(
      PART_MAX_BYTES,
      Math.max(UPLOAD_PART_MIN_BYTES, Math.ceil(left * PART_FRACTION)),
    );
    const length = left - fairBytes < UPLOAD_PART_MIN_BYTES ? left : fairBytes;
    parts.push({ start, length });
    start += length;
  }
  return parts;
}
