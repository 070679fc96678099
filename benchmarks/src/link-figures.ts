/** How long something took, ms, over its number. */
export interface DelayFigures {
  readonly count: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export interface ClassFigures {
  readonly class: string;
  /** Payload bytes of one, on average. */
  readonly bytesEach: number;
  /** Of one event. Absent for what goes without one. */
  readonly bytesPerEvent?: number;
  readonly bytesPerCameraDay: number;
}

export interface FetchFigures {
  readonly sizeBytes: number;
  /** From the request at the centre until the file was there whole and verified, ms. */
  readonly tookMs: number;
  /** From its first byte until then, ms. */
  readonly travelMs: number;
  /** Of the link's rate, its own payload while it travelled. */
  readonly ownShare: number;
  /** Of the link's rate, payload of all files while it travelled. */
  readonly linkShare: number;
}

export interface LinkFigures {
  readonly link: {
    readonly bitsPerSecond: number;
    readonly roundTripMs: number;
    readonly lossFraction: number;
    readonly congestionControl: string;
    readonly seed: number;
  };
  readonly flows: number;
  readonly expressFlows: number;
  readonly budgetBitsPerSecond?: number;
  readonly cameras: number;
  readonly violationsPerCameraHour: number;
  readonly seconds: number;
  readonly events: DelayFigures;
  readonly stills: DelayFigures;
  readonly previews: DelayFigures;
  readonly originals: readonly FetchFigures[];
  readonly undelivered: number;
  readonly classes: readonly ClassFigures[];
  /** All that the line carried from the node, with every header and repetition, bytes a camera and day. */
  readonly wireBytesPerCameraDay: number;
  readonly lostPackets: number;
  readonly droppedPackets: number;
  readonly lostShare: number;
}

/** What the issue of the product promises on a commune's link. */
export const LINK_LIMITS = { eventMs: 5_000, stillsMs: 60_000, originalShare: 0.6 } as const;

export function describeDelays(delaysMs: readonly number[]): DelayFigures {
  const sorted = [...delaysMs].sort((left, right) => left - right);
  const at = (share: number): number => {
    const index = Math.max(0, Math.ceil(share * sorted.length) - 1);
    return Math.round(sorted[index] ?? 0);
  };
  return { count: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}

/** What of the promise is not kept, in words; nothing measured is a failure too. */
export function judgeLink(figures: LinkFigures): string[] {
  const complaints: string[] = [];
  const { events, stills, originals, undelivered } = figures;
  if (events.count === 0) complaints.push('no event was measured');
  if (originals.length === 0) complaints.push('no original was fetched');
  if (undelivered > 0) complaints.push(`${undelivered} events or files did not arrive`);
  if (events.maxMs > LINK_LIMITS.eventMs) complaints.push(`an event took ${events.maxMs} ms`);
  if (stills.maxMs > LINK_LIMITS.stillsMs) complaints.push(`the stills of a case took ${stills.maxMs} ms`);
  for (const { ownShare } of originals)
    if (ownShare < LINK_LIMITS.originalShare)
      complaints.push(`an original had ${(100 * ownShare).toFixed(0)} % of the link`);
  return complaints;
}

export function formatLink(figures: LinkFigures): string {
  const { link, events, stills, previews, originals } = figures;
  const mbit = (link.bitsPerSecond / 1e6).toFixed(1);
  const delay = ({ count, medianMs, p95Ms, maxMs }: DelayFigures): string =>
    `${count} · median ${seconds(medianMs)} · p95 ${seconds(p95Ms)} · max ${seconds(maxMs)}`;
  const rows = figures.classes.map(({ class: name, bytesEach, bytesPerEvent, bytesPerCameraDay }) =>
    [
      name.padEnd(14),
      kilobytes(bytesEach).padStart(10),
      (bytesPerEvent === undefined ? '–' : kilobytes(bytesPerEvent)).padStart(12),
      kilobytes(bytesPerCameraDay).padStart(14),
    ].join(''),
  );
  return [
    `link            ${mbit} Mbit/s · ${link.roundTripMs} ms · ${100 * link.lossFraction} % loss · ${link.congestionControl} · seed ${link.seed}`,
    `flows           1 MQTT + ${figures.flows} for files + ${figures.expressFlows} for derived pictures only`,
    `load            ${figures.cameras} cameras × ${figures.violationsPerCameraHour} violations an hour, ${figures.seconds} s`,
    `events          ${delay(events)} (limit ${seconds(LINK_LIMITS.eventMs)})`,
    `stills of case  ${delay(stills)} (limit ${seconds(LINK_LIMITS.stillsMs)})`,
    `previews        ${delay(previews)}`,
    ...originals.map(
      ({ sizeBytes, tookMs, travelMs, ownShare, linkShare }) =>
        `original        ${kilobytes(sizeBytes)} in ${seconds(tookMs)}, on its way ${seconds(travelMs)} = ${(100 * ownShare).toFixed(0)} % of the link (at least ${100 * LINK_LIMITS.originalShare} %), with the pictures meanwhile ${(100 * linkShare).toFixed(0)} %`,
    ),
    `packets         ${figures.lostPackets} lost (${(100 * figures.lostShare).toFixed(2)} %), ${figures.droppedPackets} dropped at a full queue`,
    '',
    `${'class'.padEnd(14)}${'each'.padStart(10)}${'an event'.padStart(12)}${'a camera-day'.padStart(14)}`,
    ...rows,
    `${'on the wire'.padEnd(36)}${kilobytes(figures.wireBytesPerCameraDay).padStart(14)}`,
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function kilobytes(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
