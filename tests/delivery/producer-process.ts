import { pino } from 'pino';
import { Outbox } from '../../edge/src/outbox/outbox.ts';
import { anEvent, aTelemetry, NODE, SITE } from './message-builder.ts';

/** Appends without end from event `first` on; prints what is durable once it is. */
const { file, first } = JSON.parse(process.argv[2] ?? '') as { file: string; first: number };
const { outbox } = Outbox.open({
  file,
  maxBytes: 256 * 1024 * 1024,
  origin: { site: SITE, node: NODE },
  clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
  logger: pino({ level: 'silent' }),
});
for (let key = first; ; key++) {
  const messages = [
    { channel: 'event' as const, body: anEvent(key) },
    { channel: 'telemetry' as const, body: aTelemetry(key) },
  ];
  const job = {
    eventId: anEvent(key).eventId,
    camera: 'cam-1',
    session: 's-1',
    mediaTimeMs: key,
    capturedAtMs: key,
  };
  outbox.append(messages, { evidenceJobs: [job], marks: { latest: String(key) } });
  console.log(String(key));
  // Lets the pipe be written; without a turn of the loop nothing would be printed.
  await new Promise((resolve) => setImmediate(resolve));
}
