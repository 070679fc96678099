/** The codecs that the simulator streams; the names are ffmpeg's. */
export type VideoCodec = 'h264' | 'hevc';

const START_CODE = Buffer.from([0, 0, 1]);

/**
 * Splits an Annex B byte stream (ITU-T H.264 / H.265 Annex B) into NAL units without start codes and without the zero
 * bytes between them. The results are views of `data`.
 */
export function splitAnnexB(data: Buffer): Buffer[] {
  const nalUnits: Buffer[] = [];
  let codeAt = data.indexOf(START_CODE);
  while (codeAt !== -1) {
    const start = codeAt + START_CODE.length;
    codeAt = data.indexOf(START_CODE, start);
    let end = codeAt === -1 ? data.length : codeAt;
    // A NAL unit never ends with a zero byte (H.264 7.4.1): these belong to the next start code or are padding.
    while (end > start && data[end - 1] === 0) end -= 1;
    if (end > start) nalUnits.push(data.subarray(start, end));
  }
  return nalUnits;
}

/** Parameter sets as SDP needs them: `vps` is there for H.265 alone. */
export interface ParameterSets {
  readonly vps?: Buffer;
  readonly sps: Buffer;
  readonly pps: Buffer;
}

/** NAL unit type: 5 bits in H.264 (7.3.1), 6 bits in H.265 (7.3.1.2). */
function decodeNalType(codec: VideoCodec, nalUnit: Buffer): number {
  const first = nalUnit[0] ?? 0;
  return codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
}

const PARAMETER_SET_TYPES = {
  h264: { vps: undefined, sps: 7, pps: 8 },
  hevc: { vps: 32, sps: 33, pps: 34 },
} as const;

/** The first parameter sets among the NAL units of an access unit; undefined where one is missing. */
export function findParameterSets(codec: VideoCodec, nalUnits: readonly Buffer[]): ParameterSets | undefined {
  const types = PARAMETER_SET_TYPES[codec];
  const find = (type: number | undefined) =>
    nalUnits.find((nalUnit) => decodeNalType(codec, nalUnit) === type);
  const sps = find(types.sps);
  const pps = find(types.pps);
  const vps = find(types.vps);
  if (!sps || sps.length < 4 || !pps || (codec === 'hevc' && !vps)) return undefined;
  return { sps, pps, ...(vps ? { vps } : {}) };
}
