import { NgatuError } from '@ngatu/contract';
import { LocalPictureMaker } from '../evidence/local-picture-maker.ts';
import { LocalPlateDesk } from '../evidence/local-plate-desk.ts';
import { openFaceDetector } from '../evidence/part-detector.ts';
import { loadNetwork, type NetworkFile, type VerifiedNetwork } from '../model/model-file.ts';
import { PlateFinder } from '../plate/plate-finder.ts';
import { votePlate } from '../plate/plate-vote.ts';
import { openNetwork } from './open-network.ts';
import type { PictureNetworks, PictureProblem, PictureUse } from './picture-channel.ts';
import { openPlateParts } from './plate-parts.ts';

/** What makes pictures and reads plates in one process, and what could not be opened for it. */
interface PictureParts {
  readonly maker: LocalPictureMaker;
  readonly desk: LocalPlateDesk;
  readonly problems: readonly PictureProblem[];
  close(): Promise<void>;
}

/** Pictures must not take the processor from the analysis. */
const THREADS = 1;

/**
 * Opens the maker of pictures and the reader of plates in this process. A network that cannot be read, is not the one it should be, or
 * cannot be loaded is left out and told in `problems`: what it would have found is then blurred wholly, and no plate is read.
 */
export async function openPictureParts(networks: PictureNetworks): Promise<PictureParts> {
  const problems: PictureProblem[] = [];
  const face = await load('face-blur', networks.face, problems);
  const plate = await load('plate-blur', networks.plate, problems);
  const blur = [face, plate].filter((network) => network !== undefined);
  const openMaker = async (usable: readonly LoadedNetwork[]): Promise<LocalPictureMaker> => {
    const find = (use: PictureUse) => usable.find((network) => network.use === use)?.network;
    const [faces, plates] = [find('face-blur'), find('plate-blur')];
    const face = faces === undefined ? undefined : await openFaceDetector(faces);
    try {
      const plate = plates === undefined ? undefined : await openPlateParts(plates);
      return new LocalPictureMaker({ face, plate });
    } catch (error) {
      await face?.close();
      throw error;
    }
  };
  const maker = await openMaker(blur).catch(async (error: unknown) =>
    openMaker(await leaveOutBroken(blur, error, problems)),
  );
  const { desk, finder } = await openPlateDesk(networks.reading, problems);
  const close = async (): Promise<void> => {
    await maker.close();
    await finder?.close();
  };
  return { maker, desk, problems, close };
}

interface OpenedDesk {
  readonly desk: LocalPlateDesk;
  readonly finder?: PlateFinder;
}

async function openPlateDesk(
  reading: PictureNetworks['reading'],
  problems: PictureProblem[],
): Promise<OpenedDesk> {
  if (reading === undefined) return { desk: new LocalPlateDesk('model-missing') };
  const failed = { desk: new LocalPlateDesk('model-failed') };
  const detector = await load('plate-finder', reading.detector, problems);
  const readers: LoadedNetwork[] = [];
  for (const file of reading.readers) {
    const reader = await load('plate-reader', file, problems);
    if (reader !== undefined) readers.push(reader);
  }
  if (detector === undefined || readers.length < reading.readers.length) return failed;
  const all = [detector, ...readers];
  try {
    const networks = { detector: detector.network, readers: readers.map(({ network }) => network) };
    const finder = await PlateFinder.open(networks, THREADS);
    const models = all.map(({ network }) => ({ name: network.manifest.name, sha256: network.sha256 }));
    return { desk: new LocalPlateDesk({ search: finder, vote: votePlate, models }), finder };
  } catch (error) {
    await leaveOutBroken(all, error, problems);
    return failed;
  }
}

interface LoadedNetwork {
  readonly use: PictureUse;
  readonly network: VerifiedNetwork;
}

async function load(
  use: PictureUse,
  file: NetworkFile | undefined,
  problems: PictureProblem[],
): Promise<LoadedNetwork | undefined> {
  if (file === undefined) return undefined;
  try {
    return { use, network: await loadNetwork(file) };
  } catch (error) {
    problems.push(describeProblem(use, file, error));
    return undefined;
  }
}

/** Those of networks, which could not be opened together, that can be opened each alone; the others are told. */
async function leaveOutBroken(
  networks: readonly LoadedNetwork[],
  cause: unknown,
  problems: PictureProblem[],
): Promise<LoadedNetwork[]> {
  if (!(cause instanceof NgatuError)) throw cause;
  const usable: LoadedNetwork[] = [];
  for (const { use, network } of networks) {
    try {
      const opened = await openNetwork(use, network, { isTried: false });
      await opened.close();
      usable.push({ use, network });
    } catch (error) {
      problems.push(describeProblem(use, network, error));
    }
  }
  return usable;
}

function describeProblem(
  use: PictureUse,
  { manifest }: Pick<NetworkFile, 'manifest'>,
  error: unknown,
): PictureProblem {
  if (!(error instanceof NgatuError)) throw error;
  return { use, name: manifest.name, code: error.code, message: error.message };
}
