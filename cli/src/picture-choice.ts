import { loadUnlabelledPlaces, type UnlabelledPlaces } from '@ngatu/models';
import type { Command } from 'commander';
import { readNameList } from './name-list.ts';

/** What an evaluation on labelled pictures is told about them. */
export interface PictureChoiceOptions {
  readonly only?: string;
  readonly unlabelled?: string;
}

export interface PictureChoice {
  readonly only?: ReadonlySet<string>;
  readonly unlabelled?: UnlabelledPlaces;
}

/** Adds the options of `PictureChoiceOptions`. */
export function addPictureChoice(command: Command): Command {
  return command
    .option(
      '--only <file>',
      'names of the pictures to judge, one a line: those that were held out from a training',
    )
    .option(
      '--unlabelled <file>',
      'places of objects that nobody labelled, judged by eye (models/annotations): what is found there counts neither way',
    );
}

/** @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID */
export async function readPictureChoice({ only, unlabelled }: PictureChoiceOptions): Promise<PictureChoice> {
  return {
    ...(only === undefined ? {} : { only: await readNameList(only) }),
    ...(unlabelled === undefined ? {} : { unlabelled: await loadUnlabelledPlaces(unlabelled) }),
  };
}
