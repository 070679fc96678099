import type { Clip } from './clip.ts';
import { TICKS_PER_SECOND } from './clip-demux.ts';
import { RTP_PAYLOAD_TYPE } from './rtp-packet.ts';

/** What the SDP calls the one track; the client appends it to the Content-Base. */
export const TRACK_CONTROL = 'trackID=0';

/** Session description of a clip as a live stream (RFC 4566; RFC 6184 8.2.1; RFC 7798 7.2). */
export function buildSessionDescription(
  clip: Clip,
  options: { readonly host: string; readonly sessionId: number },
): string {
  const family = options.host.includes(':') ? 'IP6' : 'IP4';
  const framesPerSecond = (clip.accessUnits.length * TICKS_PER_SECOND) / clip.durationTicks;
  const encoding = clip.codec === 'h264' ? 'H264' : 'H265';
  return [
    'v=0',
    `o=- ${options.sessionId} 1 IN ${family} ${options.host}`,
    's=ngatu camera simulator',
    `c=IN ${family} ${family === 'IP6' ? '::' : '0.0.0.0'}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${RTP_PAYLOAD_TYPE}`,
    `a=rtpmap:${RTP_PAYLOAD_TYPE} ${encoding}/${TICKS_PER_SECOND}`,
    `a=fmtp:${RTP_PAYLOAD_TYPE} ${buildFormatParameters(clip)}`,
    `a=framerate:${framesPerSecond.toFixed(3)}`,
    `a=framesize:${RTP_PAYLOAD_TYPE} ${clip.width}-${clip.height}`,
    `a=control:${TRACK_CONTROL}`,
    '',
  ].join('\r\n');
}

function buildFormatParameters(clip: Clip): string {
  const { vps, sps, pps } = clip.parameterSets;
  const [spsText, ppsText] = [sps.toString('base64'), pps.toString('base64')];
  if (clip.codec === 'hevc') {
    return `sprop-vps=${vps?.toString('base64') ?? ''}; sprop-sps=${spsText}; sprop-pps=${ppsText}`;
  }
  // profile_idc, constraint flags and level_idc: the three bytes after the NAL unit header (H.264 7.3.2.1.1)
  const profileLevelId = sps.toString('hex', 1, 4);
  return `packetization-mode=1; profile-level-id=${profileLevelId}; sprop-parameter-sets=${spsText},${ppsText}`;
}
