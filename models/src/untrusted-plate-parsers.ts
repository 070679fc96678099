import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import { loadPlateFolder, parsePlateLabels } from './evaluation/plate-folder.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);

/** Labels of plate crops. */
const plateLabelParser: UntrustedParser = {
  name: 'plate-labels',
  covers: [
    'models/src/evaluation/plate-folder.ts#loadPlateFolder',
    'models/src/evaluation/plate-folder.ts#parsePlateLabels',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    mkdirSync(join(folder, 'images'));
    writeFileSync(join(folder, 'images', 'a.jpg'), '');
    const labels = join(folder, 'labels.csv');
    return {
      samples: [
        encode('file,text,layout\na.jpg,30A00001,one-line\na.jpg,"29-MĐ1 000.02",two-line\n'),
        encode('\uFEFFlayout,text,file\r\ncar-1line,30A-000.01,a.jpg\r\n'),
      ],
      parse: async (input) => {
        writeFileSync(labels, input);
        parsePlateLabels(Buffer.from(input).toString('utf8'), labels);
        await loadPlateFolder(folder);
        return undefined;
      },
    };
  },
};

export const PLATE_DATA_PARSERS: readonly UntrustedParser[] = [plateLabelParser];
