import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchemaExample,
  DirectiveSet,
  Event,
  SealedFacts,
  SignalMessage,
  type UntrustedParser,
} from '@ngatu/contract';
import { pino } from 'pino';
import { SeriesDetector } from '../anomaly/series-detector.ts';
import { decodeSeriesFile, encodeSeriesFile } from '../anomaly/series-file.ts';
import { Outbox, type OutboxOpening } from '../outbox/outbox.ts';
import { decodeEvidenceContext, encodeEvidenceContext } from '../pipeline/evidence-context.ts';
import { decodeRuleMemory, encodeRuleMemory } from '../pipeline/rule-memory.ts';
import { decodeViewReference, encodeViewReference } from '../readiness/view-reference.ts';
import { decodeControllerMessage } from '../signal/controller-message.ts';
import { DirectiveBook } from '../uplink/directive-book.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');
const SCENE = 'ab'.repeat(32);

const controllerParser: UntrustedParser = {
  name: 'controller-message',
  covers: ['edge/src/signal/controller-message.ts#decodeControllerMessage'],
  source: 'a signal controller, by MQTT',
  form: 'json',
  pace: 'process',
  open: async () => {
    const own = JSON.stringify(buildSchemaExample(SignalMessage, { withOptional: true }));
    const foreign = JSON.stringify({ plan: { 'a/b': [{ phase: 3 }] }, t: 1_763_000_000_000 });
    const mapping = {
      fields: { state: '/plan/a~1b/0/phase', sentAt: '/t' },
      states: { 3: 'green', red: 'red' },
    } as const;
    return {
      samples: [encode(own), encode(foreign)],
      parse: (input) => {
        const [own, mapped] = [{}, mapping].map((each) => decodeControllerMessage(input, each));
        const isTaken = [own, mapped].some((answer) => answer !== undefined && 'state' in answer);
        return isTaken || own === undefined || !('code' in own) ? undefined : own.code;
      },
    };
  },
};

const directiveParser: UntrustedParser = {
  name: 'directive-set',
  covers: [],
  source: 'the centre, or who speaks in its name at the broker',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const set = buildSchemaExample(DirectiveSet, { withOptional: true });
    const file = join(folder, 'directives.json');
    const logger = pino({ level: 'silent' });
    return {
      samples: [encode(JSON.stringify(set))],
      parse: (input) => {
        rmSync(file, { force: true });
        const options = { file, clock: { nowMs: () => 1_763_000_000_000 }, logger };
        const result = DirectiveBook.open(options).take(input);
        writeFileSync(file, input);
        DirectiveBook.open(options).at('junction-1', 1_763_000_000_000);
        return result.outcome === 'refused' ? result.code : undefined;
      },
    };
  },
};

const memoryParser: UntrustedParser = {
  name: 'rule-memory',
  covers: ['edge/src/pipeline/rule-memory.ts#decodeRuleMemory'],
  source: 'the node’s own disk, torn or changed',
  form: 'json',
  pace: 'process',
  open: async () => {
    const remembered = [{ box: [1, 2, 30, 40], label: 'car', lastSeenAtMs: 5 }] as const;
    const text = encodeRuleMemory({ parking: remembered }, SCENE);
    return {
      samples: [encode(text)],
      parse: (input) =>
        decodeRuleMemory(decode(input), SCENE) === undefined ? 'NOT_OF_THIS_SCENE' : undefined,
    };
  },
};

const viewParser: UntrustedParser = {
  name: 'view-reference',
  covers: ['edge/src/readiness/view-reference.ts#decodeViewReference'],
  source: 'the node’s own disk, torn or changed',
  form: 'json',
  pace: 'process',
  open: async () => {
    const picture = { width: 8, height: 6, values: new Uint8Array(48).fill(7) };
    const text = encodeViewReference({ bright: { picture, sharpness: 3.5, takenAtMs: 1 } }, SCENE);
    return {
      samples: [encode(text)],
      parse: (input) => {
        const reference = decodeViewReference(decode(input), SCENE);
        if (reference === undefined) return 'NOT_OF_THIS_SCENE';
        for (const entry of Object.values(reference)) {
          const { width, height, values } = entry.picture;
          if (!(Number.isInteger(width) && Number.isInteger(height) && values.length === width * height))
            throw new RangeError('a reference of another size than it says');
        }
        return undefined;
      },
    };
  },
};

const contextParser: UntrustedParser = {
  name: 'evidence-context',
  covers: ['edge/src/pipeline/evidence-context.ts#decodeEvidenceContext'],
  source: 'the node’s own disk, torn or changed',
  form: 'json',
  pace: 'process',
  open: async () => {
    const event = buildSchemaExample(Event, { withOptional: true }) as Event;
    const facts = buildSchemaExample(SealedFacts, { withOptional: true }) as SealedFacts;
    return {
      samples: [encode(encodeEvidenceContext({ event, facts })), encode(encodeEvidenceContext({ event }))],
      parse: (input) => (decodeEvidenceContext(decode(input)) === undefined ? 'NOT_KNOWN' : undefined),
    };
  },
};

/** A series that was watched for two days, so that its file has everything in it. */
const learnedParser: UntrustedParser = {
  name: 'learned-series',
  covers: ['edge/src/anomaly/series-file.ts#decodeSeriesFile'],
  source: 'the node’s own disk, torn or changed',
  form: 'binary',
  pace: 'process',
  open: async () => {
    const detector = new SeriesDetector(1);
    for (let step = 0; step < 200; step++) detector.observe(step * 900_000, Math.sin(step / 15));
    const file = encodeSeriesFile('gauge/waterLevel', detector.list());
    return {
      samples: [file],
      parse: (input) => {
        const rest = input.subarray(32);
        const sealed = Buffer.concat([createHash('sha256').update(rest).digest(), rest]);
        // once as the disk gave it, and once as if the digest had held
        for (const bytes of [input, sealed]) {
          const state = decodeSeriesFile('gauge/waterLevel', bytes);
          const restored = typeof state === 'string' ? undefined : SeriesDetector.restore(state);
          restored?.observe(201 * 900_000, 1);
        }
        return typeof decodeSeriesFile('gauge/waterLevel', input) === 'string'
          ? 'LEARNED_STATE_INVALID'
          : undefined;
      },
    };
  },
};

/** Fields of four bytes of the header of SQLite (its file format, section 1.3): user version, and format of the schema. */
const [VERSION_OFFSET, FORMAT_OFFSET] = [60, 44];

function changeHeader(file: Buffer, offset: number, value: number): Buffer {
  const changed = Buffer.from(file);
  changed.writeUInt32BE(value, offset);
  return changed;
}

/** Opens an outbox as the agent does, takes what waits, and closes it. */
function openAndLook(file: string): OutboxOpening['movedAside'] {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  const { outbox, movedAside } = Outbox.open({
    ...{ file, clock, maxBytes: 1_000_000, origin: { site: 'fuzz', node: 'fuzz' } },
    logger: pino({ level: 'silent' }),
  });
  outbox.lease(10, 1_000);
  outbox.pending();
  outbox[Symbol.dispose]();
  return movedAside;
}

/** The database files of an outbox that holds nothing. */
const outboxParser: UntrustedParser = {
  name: 'outbox-file',
  covers: [],
  source: 'the node’s own disk, torn or changed',
  form: 'binary',
  pace: 'process',
  open: async (folder) => {
    const made = join(folder, 'made.sqlite');
    openAndLook(made);
    const whole = join(folder, 'whole.sqlite');
    copyFileSync(made, whole);
    const work = join(folder, 'outbox.sqlite');
    const sample = readFileSync(whole);
    return {
      samples: [sample],
      // other versions of the schema, and of the file format of SQLite
      extremes: [0, 1, 3, 5, 0xffff, 0x8000_0000, 0xffff_ffff]
        .map((version) => changeHeader(sample, VERSION_OFFSET, version))
        .concat([changeHeader(sample, FORMAT_OFFSET, 9)]),
      parse: (input) => {
        for (const name of readdirSync(folder)) {
          if (name.startsWith('outbox.sqlite')) rmSync(join(folder, name));
        }
        writeFileSync(work, input);
        const movedAside = openAndLook(work);
        if (movedAside !== undefined && !existsSync(movedAside.file))
          throw new Error('a broken outbox is gone');
        return movedAside === undefined ? undefined : 'OUTBOX_CORRUPT';
      },
    };
  },
};

export const NODE_PARSERS: readonly UntrustedParser[] = [
  controllerParser,
  directiveParser,
  memoryParser,
  viewParser,
  contextParser,
  learnedParser,
  outboxParser,
];
