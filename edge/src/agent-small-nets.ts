import { NgatuError } from '@ngatu/contract';
import type { Logger } from 'pino';
import { HelmetNet } from './helmet/helmet-net.ts';
import type { PatchModel } from './model/patch-classifier.ts';
import { LampNet } from './signal/lamp-net.ts';

/** The small networks that were found; absent where there is none, or where the operator wants none. */
export interface SmallNetConfig {
  readonly lamp?: PatchModel;
  readonly helmet?: PatchModel;
}

/** Small networks that look at signal heads and at the heads of riders, shared by all cameras. */
export class SmallNets implements AsyncDisposable {
  readonly lamp: LampNet | undefined;
  readonly helmet: HelmetNet | undefined;

  private constructor(lamp: LampNet | undefined, helmet: HelmetNet | undefined) {
    this.lamp = lamp;
    this.helmet = helmet;
  }

  /** A network that cannot be opened is logged with its code and left out: the cameras go on without it. */
  static async open({ lamp, helmet }: SmallNetConfig, logger: Logger): Promise<SmallNets> {
    const [lampNet, helmetNet] = await Promise.all([
      openOr(lamp, (model) => LampNet.open(model), 'lamps are read by their colours alone', logger),
      openOr(helmet, (model) => HelmetNet.open(model), 'rules about helmets judge nothing', logger),
    ]);
    return new SmallNets(lampNet, helmetNet);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.lamp?.close(), this.helmet?.close()]);
  }
}

async function openOr<T>(
  model: PatchModel | undefined,
  open: (model: PatchModel) => Promise<T>,
  without: string,
  logger: Logger,
): Promise<T | undefined> {
  if (model === undefined) return undefined;
  try {
    return await open(model);
  } catch (error) {
    if (!(error instanceof NgatuError)) throw error;
    logger.error({ code: error.code, model: model.manifest.name }, `${error.message}: ${without}`);
    return undefined;
  }
}
