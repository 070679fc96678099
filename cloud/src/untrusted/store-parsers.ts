import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchemaExample,
  buildTopic,
  ENVELOPES,
  NodeState,
  NUMBERED_CHANNELS,
  type UntrustedParser,
} from '@ngatu/contract';
import { openAccountDatabase } from '../account/account-database.ts';
import { decodeMessage } from '../ingestor/message-intake.ts';
import { SqliteEventStore } from '../store/sqlite-event-store.ts';

const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const SITE = { site: 'junction-1', node: 'junction-1' } as const;
const AT = '2025-11-22T03:00:00.000Z';

/** A message of any channel is judged, and stored where it is taken. */
const messageParser: UntrustedParser = {
  name: 'mqtt-message',
  covers: ['cloud/src/ingestor/message-intake.ts#decodeMessage'],
  source: 'a node, or who has its key: envelopes, events, evidence manifests, telemetry, state',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const events = SqliteEventStore.open(join(folder, 'events.sqlite'));
    const options = [true, false].map((withOptional) => ({ withOptional }));
    const samples = [...NUMBERED_CHANNELS.map((channel) => ENVELOPES[channel]), NodeState].flatMap((schema) =>
      options.map((option) => encode(buildSchemaExample(schema, option))),
    );
    return {
      samples,
      parse: (input) => {
        const answers = [...NUMBERED_CHANNELS, 'state' as const].map((channel) =>
          decodeMessage(buildTopic({ ...SITE, channel }), input, AT),
        );
        const items = answers.flatMap((answer) => (answer.kind === 'item' ? [answer.item] : []));
        if (items.length > 0) events.commit(items, AT);
        if (answers.some(({ kind }) => kind !== 'refused')) return undefined;
        const [first] = answers;
        return first?.kind === 'refused' ? first.letter.code : undefined;
      },
      close: () => events[Symbol.dispose](),
    };
  },
};

/** Where the header of SQLite says of which format its schema is (its file format, section 1.3). */
const FORMAT_OFFSET = 44;

/** A copy in which one word, wherever it stands, is another one of its length. */
function replaceWord(file: Buffer, from: string, to: string): Buffer {
  const changed = Buffer.from(file);
  for (let at = changed.indexOf(from); at >= 0; at = changed.indexOf(from, at + 1)) changed.write(to, at);
  return changed;
}

/** A database file of the centre, torn or changed. */
function describeDatabase(name: string, open: (file: string) => { close(): void }): UntrustedParser {
  return {
    name,
    covers: [],
    source: 'the centre’s own disk, torn or changed',
    form: 'binary',
    pace: 'process',
    open: async (folder) => {
      const made = join(folder, 'made.sqlite');
      open(made).close();
      const whole = join(folder, 'whole');
      copyFileSync(made, whole);
      const work = join(folder, 'work.sqlite');
      const sample = readFileSync(whole);
      const format = Buffer.from(sample);
      format.writeUInt32BE(9, FORMAT_OFFSET);
      return {
        samples: [sample],
        // a format that SQLite does not know, migrations that would be applied again, and columns of other names
        extremes: [
          format,
          ...['001-', '002-', '003-'].map((step) => replaceWord(sample, step, '999-')),
          ...['seq', 'site', 'digest', 'token', 'body', 'sha256', 'event_id'].map((word) =>
            replaceWord(sample, word, 'x'.repeat(word.length)),
          ),
        ],
        parse: (input) => {
          for (const file of readdirSync(folder))
            if (file.startsWith('work.sqlite')) rmSync(join(folder, file));
          writeFileSync(work, input);
          open(work).close();
          return undefined;
        },
      };
    },
  };
}

export const STORE_PARSERS: readonly UntrustedParser[] = [
  messageParser,
  describeDatabase('event-database', (file) => {
    const store = SqliteEventStore.open(file);
    return { close: () => store[Symbol.dispose]() };
  }),
  describeDatabase('account-database', openAccountDatabase),
];
