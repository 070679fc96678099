import { buffer } from 'node:stream/consumers';
import {
  type Event,
  type EvidenceFile,
  isOriginalRole,
  type LawAnswer,
  NgatuError,
  resolveLaw,
} from '@ngatu/contract';
import type { ExportFileState } from '@ngatu/trust';
import type { EventRecord, EventStore } from '../store/event-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { PlateRecord } from '../store/plate-store.ts';
import type { SealRecord } from '../store/receipt-store.ts';

/** One reading of a case with what the law of its day says of it. */
export interface CaseReading {
  readonly kind: Event['kind'];
  readonly law: LawAnswer;
}

export interface CaseFile {
  readonly file: EvidenceFile;
  readonly state: ExportFileState;
  /** Of pictures that are included. */
  readonly picture?: Uint8Array;
}

/** Everything that an export tells of one case. */
export interface CaseDossier {
  readonly record: EventRecord;
  readonly seal: SealRecord;
  readonly plate: PlateRecord;
  /** As it was flagged, then each alternative. */
  readonly readings: readonly CaseReading[];
  readonly files: readonly CaseFile[];
}

export interface DossierSources {
  readonly events: Pick<EventStore, 'getEvent' | 'receipts' | 'plates'>;
  readonly evidence: Pick<EvidenceStore, 'open'>;
  /** Whether the originals of this event may leave with the export. */
  readonly mayOpenOriginals: (eventId: string) => boolean;
}

/**
 * Gathers a case.
 * @throws NgatuError NOT_FOUND, SEAL_MISSING where no sealed manifest of it has arrived
 */
export async function gatherCase(sources: DossierSources, eventId: string): Promise<CaseDossier> {
  const record = sources.events.getEvent(eventId);
  if (record === undefined) throw new NgatuError('NOT_FOUND', `There is no event "${eventId}"`);
  const seal = sources.events.receipts.find(eventId);
  if (seal === undefined) {
    const reason = 'no sealed manifest of it has arrived at the centre; nothing could be proved of it';
    throw new NgatuError('SEAL_MISSING', `Cannot export event ${eventId}: ${reason}`);
  }
  const arrived = new Map((record.evidence?.files ?? []).map((file) => [file.sha256, file.arrived]));
  const files: CaseFile[] = [];
  for (const file of seal.manifest.files) {
    const isHeld = isOriginalRole(file.role) && !sources.mayOpenOriginals(eventId);
    const handle = isHeld ? undefined : await sources.evidence.open(file.sha256);
    if (handle !== undefined) {
      const isPicture = file.mediaType === 'image/jpeg';
      files.push({ file, state: 'included', ...(isPicture ? { picture: await buffer(handle.read()) } : {}) });
    } else if (isHeld) files.push({ file, state: 'withheld' });
    else files.push({ file, state: arrived.get(file.sha256) === true ? 'erased' : 'on-node' });
  }
  const plate = sources.events.plates.find(eventId) ?? { judgements: [] };
  return { record, seal, plate, readings: listReadings(record.event), files };
}

function listReadings({ kind, alternatives, subject, measures, capturedAt }: Event): CaseReading[] {
  const atMs = Date.parse(capturedAt);
  return [...new Set([kind, ...alternatives])].map((reading) => ({
    kind: reading,
    law: resolveLaw({ kind: reading, label: subject.label, measures, atMs }),
  }));
}
