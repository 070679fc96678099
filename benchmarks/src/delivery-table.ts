import type { DeliveryFigures } from './delivery-load.ts';

/** A fresh event may wait so long for its acknowledgement while a month drains, ms. */
export const LIVE_LIMIT_MS = 5_000;
/** The ingestor may grow by so much while the database stands still, bytes. */
export const STALL_GROWTH_LIMIT_BYTES = 128 * 1024 * 1024;

const MEGABYTE = 1e6;

/** What is not as it must be; empty where all holds. */
export function listDeliveryOffences({ month, stall }: DeliveryFigures): string[] {
  const grown = stall.ingestorRssMaxBytes - stall.ingestorRssBeforeBytes;
  return [
    ...(month.missing > 0 ? [`${month.missing} numbers of the month are not settled`] : []),
    ...(stall.missing > 0 ? [`${stall.missing} numbers of the stall are not settled`] : []),
    ...(month.outOfOrder > 0 ? [`${month.outOfOrder} messages of the backlog were sent out of order`] : []),
    ...(month.liveMsP95 > LIVE_LIMIT_MS
      ? [`fresh events waited ${Math.round(month.liveMsP95)} ms (p95)`]
      : []),
    ...(grown > STALL_GROWTH_LIMIT_BYTES ? [`the ingestor grew by ${Math.round(grown / MEGABYTE)} MB`] : []),
  ];
}

export function formatDelivery({ steady, month, stall, full, bytesPerMessage }: DeliveryFigures): string {
  const mb = (bytes: number) => `${(bytes / MEGABYTE).toFixed(1)} MB`;
  const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  return [
    `steady        ${steady.messages} events: ${steady.perSecond.toFixed(0)} messages/s`,
    `month         ${month.messages} messages (${mb(month.outboxBytes)}) in ${month.drainSeconds.toFixed(0)} s: ${month.perSecond.toFixed(0)} messages/s, ${month.outOfOrder} out of order, ${month.missing} missing`,
    `  meanwhile   ${month.liveEvents} fresh events acknowledged after p50 ${ms(month.liveMsP50)}, p95 ${ms(month.liveMsP95)}, max ${ms(month.liveMsMax)}`,
    `  node        lease p95 ${month.leaseMsP95.toFixed(2)} ms, ${mb(month.nodeRssBytes)} resident at most`,
    `stall         ${stall.seconds} s, ${stall.appended} events appended: ingestor ${mb(stall.ingestorRssBeforeBytes)} before, ${mb(stall.ingestorRssMaxBytes)} at most; broker ${mb(stall.brokerRssMaxBytes)} at most`,
    `  after       ${stall.drainPerSecond.toFixed(0)} messages/s (${(stall.drainPerSecond / steady.perSecond).toFixed(2)} of steady), ${stall.missing} missing`,
    `full          ${full.appended} telemetry into ${mb(full.limitBytes)}: append p95 ${ms(full.appendMsP95)}, max ${ms(full.appendMsMax)}; ${full.thinned} thinned, ${full.telemetryDropped} dropped, ${full.casesDropped} cases dropped; ${full.hoursKept.toFixed(1)} of ${full.hoursAppended.toFixed(1)} camera hours in the ledger`,
    `bytes         ${Object.entries(bytesPerMessage)
      .map(([name, bytes]) => `${name} ${bytes}`)
      .join(', ')} a message`,
  ].join('\n');
}
