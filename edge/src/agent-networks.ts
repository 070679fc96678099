import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, type NetworkUse, NgatuError, type NodeNetwork } from '@ngatu/contract';
import type { ModelIdentity } from './detect/detection.ts';
import { HelmetNet } from './helmet/helmet-net.ts';
import { type FaceNet, openFaceNet } from './mask/face-net.ts';
import { loadNetwork, type NetworkFile } from './model/model-file.ts';
import { type Closable, NetworkHolder } from './model/network-holder.ts';
import { OccupantNet } from './occupant/occupant-net.ts';
import type { FrameNets } from './pipeline/analysis.ts';
import { ModelRecord, type ModelTelling } from './pipeline/model-record.ts';
import { ModelSeat, type Reloadable } from './pipeline/model-seat.ts';
import type { PictureNetworks, PictureProblem, PictureUse } from './pipeline/picture-channel.ts';
import type { PictureProcess } from './pipeline/picture-process.ts';
import { LampNet } from './signal/lamp-net.ts';

/** A network that the profile asks for. */
export interface NetworkWish {
  readonly use: NetworkUse;
  readonly name: string;
  /** @throws NgatuError ASSET_UNKNOWN, ASSET_UNAVAILABLE, ASSET_DIGEST_MISMATCH, MODEL_MANIFEST_INVALID */
  find(): Promise<NetworkFile>;
}

/** Asked at the start, and again with every reload. @throws NgatuError where the profile cannot be read */
export type NetworkSource = () => Promise<readonly NetworkWish[]>;

export interface AgentNetworksOptions extends ModelTelling {
  readonly source: NetworkSource;
  readonly pictures: Pick<PictureProcess, 'use' | 'prove'>;
}

/** What happens where no network serves, for the log. */
const WITHOUT: Readonly<Record<NetworkUse, string>> = {
  lamp: 'lamps are read by their colours alone',
  helmet: 'rules about helmets judge nothing',
  occupants: 'who rides on a two-wheeler is counted by boxes of people',
  'face-blur': 'whole road users are blurred instead',
  'plate-blur': 'whole road users are blurred instead',
  'plate-finder': 'no plate is read',
  'plate-reader': 'plates are read without it',
  mask: 'masks are not watched',
  eye: 'visible cameras of gates are not watched',
};
/** Opened before the cameras are: their first frame is judged with what the profile asks for. */
const FIRST: readonly NetworkUse[] = ['lamp', 'helmet', 'occupants'];
/** Keys of the places of readers of plates begin so. */
const READERS = 'plate-reader ';
/** The process of pictures may be killed at any time: a network is proved so often before that counts as a refusal. */
const PROOFS = 3;
const RETRY_MS = 1_000;

interface Place {
  readonly use: NetworkUse;
  readonly record: ModelRecord;
  readonly seat: ModelSeat<NetworkFile>;
  empty(): Promise<void>;
}

/** The places of the networks that watch masks. */
export interface MaskNetworks {
  /** In the order of `MASK_ASSETS`. */
  readonly places: readonly Pick<NetworkHolder<FaceNet>, 'use' | 'serving' | 'whenServing'>[];
  /** Of those that serve now. */
  listModels(): ModelIdentity[];
}

/**
 * The places of all networks beside the detector of road users, one `ModelSeat` each: those that look at lamps, heads, two-wheelers and faces run in this process,
 * those that make pictures and read plates in the process of pictures. A network that cannot be had or opened is recorded with its code; where
 * another served it stays, else the agent goes on without.
 */
export class AgentNetworks implements Reloadable, AsyncDisposable {
  /** Settles after the first round, however it ended for each network. */
  readonly opened: Promise<void>;
  /** What looks at lamps, heads and two-wheelers of each picture now. */
  readonly frameNets: FrameNets;
  readonly #options: AgentNetworksOptions;
  readonly #lamp = new NetworkHolder<LampNet>();
  readonly #helmet = new NetworkHolder<HelmetNet>();
  readonly #occupants = new NetworkHolder<OccupantNet>();
  readonly #faces = new Map<string, NetworkHolder<FaceNet>>();
  readonly #places = new Map<string, Place>();
  readonly #stop = new AbortController();
  #settle: () => void = () => undefined;
  #isSettled = false;

  private constructor(options: AgentNetworksOptions) {
    this.#options = options;
    this.opened = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.frameNets = describeFrameNets(this.#lamp, this.#helmet, this.#occupants);
  }

  /** Opens what looks at each picture; the others follow with `run`. @throws NgatuError of the source */
  static async open(options: AgentNetworksOptions): Promise<AgentNetworks> {
    const networks = new AgentNetworks(options);
    await networks.#ask((use) => FIRST.includes(use));
    return networks;
  }

  /** What the node says about its networks. */
  get states(): NodeNetwork[] {
    return [...this.#places.values()].flatMap(({ use, record: { state } }) =>
      state === undefined ? [] : [{ use, ...state }],
    );
  }

  /** False where it is known that there is nothing to read plates with. */
  get readsPlates(): boolean {
    return !this.#isSettled || this.#listPictures().reading !== undefined;
  }

  /** What finds the eyes in the pictures of visible cameras. */
  get eye(): NetworkHolder<FaceNet> {
    return this.#face('eye');
  }

  /** What watches masks. @param names of the networks, in their order */
  masks(names: readonly string[]): MaskNetworks {
    const keys = names.map((name) => `mask ${name}`);
    return {
      places: keys.map((key) => this.#face(key)),
      listModels: () =>
        keys.flatMap((key) => {
          const serving = this.#places.get(key)?.seat.serving;
          return serving === undefined ? [] : [{ name: serving.manifest.name, sha256: serving.file.sha256 }];
        }),
    };
  }

  /** Opens the networks that `open` left for later, until the signal at most. */
  async run(signal: AbortSignal): Promise<void> {
    const once = { once: true, signal: this.#stop.signal };
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), once);
    await this.#ask((use) => !FIRST.includes(use));
    this.#isSettled = true;
    this.#settle();
  }

  /** Asks the source again. A profile that cannot be read changes nothing. */
  async reload(): Promise<void> {
    try {
      await this.#ask(() => true);
    } catch (error) {
      if (!(error instanceof NgatuError)) throw error;
      this.#options.logger.error({ code: error.code }, `networks stay as they are: ${error.message}`);
    }
  }

  /** Takes it that a network of the process of pictures, which was proved, cannot be opened there any more. */
  lose({ use, name, code, message }: PictureProblem & { readonly code: ErrorCode }): void {
    for (const place of this.#places.values()) {
      if (place.use !== use || place.seat.serving?.manifest.name !== name) continue;
      place.seat.lose(new NgatuError(code, message));
    }
    this.#options.pictures.use(this.#listPictures());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the agent stops'));
    for (const { empty } of this.#places.values()) await empty();
  }

  async #ask(isMeant: (use: NetworkUse) => boolean): Promise<void> {
    const wishes = this.#chooseSeats((await this.#options.source()).filter(({ use }) => isMeant(use)));
    for (const [key, { use, name }] of wishes) {
      const place = this.#places.get(key) ?? this.#open(key, use);
      this.#places.set(key, place);
      place.record.ask(name);
    }
    for (const [key, { name, find }] of wishes) await this.#places.get(key)?.seat.ask(find, name);
    for (const [key, place] of this.#places) {
      if (!isMeant(place.use) || wishes.has(key)) continue;
      this.#places.delete(key);
      await place.empty();
    }
    if (isMeant('plate-finder')) this.#options.pictures.use(this.#listPictures());
  }

  /**
   * The key of the place for each wish. There are several readers of plates: one that serves keeps its place, others take those that are left, so
   * that a reader which is replaced stays until its successor serves.
   */
  #chooseSeats(wishes: readonly NetworkWish[]): Map<string, NetworkWish> {
    const chosen = new Map<string, NetworkWish>();
    const rest: NetworkWish[] = [];
    for (const wish of wishes) {
      const { use, name } = wish;
      const known = [...this.#places].find(
        ([key, { seat }]) => key.startsWith(READERS) && seat.serving?.manifest.name === name,
      )?.[0];
      if (use !== 'plate-reader') chosen.set(use === 'mask' ? `${use} ${name}` : use, wish);
      else if (known !== undefined) chosen.set(known, wish);
      else rest.push(wish);
    }
    for (const wish of rest) {
      let number = 1;
      while (chosen.has(`${READERS}${number}`)) number += 1;
      chosen.set(`${READERS}${number}`, wish);
    }
    return chosen;
  }

  #open(key: string, use: NetworkUse): Place {
    const record = new ModelRecord(this.#options, { use, without: WITHOUT[use] });
    const { place, empty } = this.#describePlace(key, use);
    const identify = ({ manifest, file }: NetworkFile) => ({ name: manifest.name, sha256: file.sha256 });
    return { use, record, seat: new ModelSeat({ record, place, identify }), empty };
  }

  #describePlace(
    key: string,
    use: NetworkUse,
  ): Pick<Place, 'empty'> & { readonly place: (network: NetworkFile) => Promise<void> } {
    const hold = <T extends Closable>(
      holder: NetworkHolder<T>,
      open: (network: NetworkFile) => Promise<T>,
    ) => ({
      place: async (network: NetworkFile) => holder.replace(await open(network)),
      empty: () => holder.replace(undefined),
    });
    switch (use) {
      case 'lamp':
        return hold(this.#lamp, (network) => LampNet.open(network));
      case 'helmet':
        return hold(this.#helmet, (network) => HelmetNet.open(network));
      case 'occupants':
        return hold(this.#occupants, (network) => OccupantNet.open(network));
      case 'mask':
      case 'eye':
        return hold(this.#face(key), async (network) => openFaceNet(await loadNetwork(network), true));
      default:
        return { place: (network) => this.#prove(use, network), empty: () => Promise.resolve() };
    }
  }

  #face(key: string): NetworkHolder<FaceNet> {
    const holder = this.#faces.get(key) ?? new NetworkHolder<FaceNet>();
    this.#faces.set(key, holder);
    return holder;
  }

  async #prove(use: PictureUse, network: NetworkFile): Promise<void> {
    const { signal } = this.#stop;
    for (let proof = 1; ; proof++) {
      try {
        return await this.#options.pictures.prove(use, network, signal);
      } catch (error) {
        if (!(error instanceof NgatuError) || !error.retryable || proof === PROOFS) throw error;
        await sleep(RETRY_MS, undefined, { signal });
      }
    }
  }

  #listPictures(): PictureNetworks {
    const find = (wanted: PictureUse): NetworkFile[] =>
      [...this.#places.values()].flatMap(({ use, seat: { serving } }) =>
        use === wanted && serving !== undefined ? [serving] : [],
      );
    const [face] = find('face-blur');
    const [plate] = find('plate-blur');
    const [detector] = find('plate-finder');
    const readers = find('plate-reader');
    return {
      ...(face === undefined ? {} : { face }),
      ...(plate === undefined ? {} : { plate }),
      ...(detector === undefined || readers.length === 0 ? {} : { reading: { detector, readers } }),
    };
  }
}

function describeFrameNets(
  lamp: NetworkHolder<LampNet>,
  helmet: NetworkHolder<HelmetNet>,
  occupants: NetworkHolder<OccupantNet>,
): FrameNets {
  const lampNet: FrameNets['lampNet'] = { read: (...parts) => lamp.use((net) => net.read(...parts)) };
  const helmetNet: FrameNets['helmetNet'] = {
    read: async (...parts) => orTaken(await helmet.use((net) => net.read(...parts)), 'look at a head'),
  };
  const occupantNet: FrameNets['occupantNet'] = {
    count: async (...parts) =>
      orTaken(await occupants.use((net) => net.count(...parts)), 'count who rides on a two-wheeler'),
  };
  return {
    get lampNet() {
      return lamp.serving === undefined ? undefined : lampNet;
    },
    get helmetNet() {
      return helmet.serving === undefined ? undefined : helmetNet;
    },
    get occupantNet() {
      return occupants.serving === undefined ? undefined : occupantNet;
    },
  };
}

/** @throws NgatuError MODEL_INVALID (retryable) where the network left between two looks */
function orTaken<T>(reading: T | undefined, act: string): T {
  if (reading !== undefined) return reading;
  throw new NgatuError('MODEL_INVALID', `Cannot ${act}: the network was taken away`, { retryable: true });
}
