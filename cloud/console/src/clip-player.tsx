import { useEffect, useRef, useState } from 'preact/hooks';
import { buildEvidenceUrl } from './api-client.ts';
import { formatMediaTime } from './format.ts';
import { useText } from './language.tsx';
import type { StoredFile } from './media-viewer.tsx';
import { useShortcuts } from './shortcut.ts';

/** Until two frames have been seen: 25 frames/s, what most of the cameras send. */
const ASSUMED_FRAME_SECONDS = 1 / 25;
/** The clip opens this long before the moment. */
const LEAD_SECONDS = 2;
const CODEC_TYPES = {
  h264: 'video/mp4; codecs="avc1.640028"',
  hevc: 'video/mp4; codecs="hvc1.1.6.L120.90"',
} as const;
const CODEC_NAMES = { h264: 'H.264', hevc: 'H.265' } as const;

function canPlay(file: StoredFile): boolean {
  if (file.codec === undefined) return true;
  return document.createElement('video').canPlayType(CODEC_TYPES[file.codec]) !== '';
}

/** Learns the length of a frame from the frames that are shown; the shortest distance between two is one frame. */
function useFrameSeconds(video: HTMLVideoElement | null): () => number {
  const seconds = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (video === null || !('requestVideoFrameCallback' in video)) return;
    let last: number | undefined;
    let handle = 0;
    const see = (_now: number, { mediaTime }: { mediaTime: number }) => {
      const distance = last === undefined ? 0 : Math.abs(mediaTime - last);
      if (distance > 0.005 && distance < 0.5)
        seconds.current = Math.min(seconds.current ?? distance, distance);
      last = mediaTime;
      handle = video.requestVideoFrameCallback(see);
    };
    handle = video.requestVideoFrameCallback(see);
    return () => video.cancelVideoFrameCallback(handle);
  }, [video]);
  return () => seconds.current ?? ASSUMED_FRAME_SECONDS;
}

export function ClipPlayer({ file }: { file: StoredFile }) {
  const { t } = useText();
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const [isUnplayable, setUnplayable] = useState(() => !canPlay(file));
  const frameSeconds = useFrameSeconds(video);
  const url = buildEvidenceUrl(file.sha256);
  const momentSeconds = file.eventOffsetMs === undefined ? undefined : file.eventOffsetMs / 1_000;

  const seek = (seconds: number) => {
    if (video === null) return;
    video.pause();
    video.currentTime = Math.max(
      0,
      Math.min(seconds, Number.isFinite(video.duration) ? video.duration : seconds),
    );
  };
  const jump = () => {
    if (momentSeconds !== undefined) seek(momentSeconds);
  };
  const step = (frames: number) => seek((video?.currentTime ?? 0) + frames * frameSeconds());
  useShortcuts({
    m: () => void jump(),
    ',': () => void step(-1),
    '.': () => void step(1),
    ' ': (event) => {
      // A focused button or the player itself already acts on the space bar.
      if (video === null || (event.target instanceof HTMLElement && event.target.matches('button, a, video')))
        return false;
      if (video.paused) void video.play();
      else video.pause();
      return undefined;
    },
  });

  if (isUnplayable) {
    return (
      <div class="stage-words" role="alert">
        <p>{t('media.unplayable', { codec: file.codec === undefined ? 'MP4' : CODEC_NAMES[file.codec] })}</p>
        <a class="button" href={url} download={`clip-${file.sha256.slice(0, 12)}.mp4`}>
          {t('media.download')}
        </a>
      </div>
    );
  }
  return (
    <div class="clip">
      <video
        ref={setVideo}
        src={url}
        controls
        muted
        playsInline
        preload="auto"
        onLoadedMetadata={(event) => {
          if (momentSeconds !== undefined)
            event.currentTarget.currentTime = Math.max(0, momentSeconds - LEAD_SECONDS);
        }}
        onError={() => setUnplayable(true)}
      />
      <div class="stage-bar">
        <button type="button" disabled={momentSeconds === undefined} onClick={jump}>
          {t('media.jump')} <kbd>M</kbd>
        </button>
        <button type="button" aria-label={t('media.stepBack')} onClick={() => step(-1)}>
          −1 <kbd>,</kbd>
        </button>
        <button type="button" aria-label={t('media.stepForward')} onClick={() => step(1)}>
          +1 <kbd>.</kbd>
        </button>
        {file.eventOffsetMs !== undefined && file.durationMs !== undefined && (
          <span>
            {t('media.moment', {
              at: formatMediaTime(file.eventOffsetMs),
              duration: formatMediaTime(file.durationMs),
            })}
          </span>
        )}
        <a href={url} download={`clip-${file.sha256.slice(0, 12)}.mp4`}>
          {t('media.download')}
        </a>
      </div>
    </div>
  );
}
