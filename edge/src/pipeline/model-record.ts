import { NgatuError, type NodeNetwork, type Telemetry } from '@ngatu/contract';
import type { Logger } from 'pino';
import type { Outbox } from '../outbox/outbox.ts';

/** Where a record tells what it is told. */
export interface ModelTelling {
  readonly site: string;
  readonly node: string;
  readonly outbox: { append(messages: Parameters<Outbox['append']>[0]): unknown };
  readonly clock: { nowMs(): number };
  readonly logger: Logger;
}

/** What is said of the model in one place. */
export type ModelState = Omit<NodeNetwork, 'use'>;

export interface ModelRecordOptions {
  /** What the model in this place is used for; a tag of telemetry and of the log. Absent: detector of road users. */
  readonly use?: NodeNetwork['use'];
  /** What happens where no model serves, for the log. */
  readonly without?: string;
}

/** Of a message in the state of the node. */
const MESSAGE_MAX_CHARS = 500;

/**
 * What is known of the model in one place: which one serves since when, and which one was asked for and not taken. Every change is told in the
 * log, and in telemetry where it is one of a running node or a fault.
 */
export class ModelRecord {
  readonly #telling: ModelTelling;
  readonly #options: ModelRecordOptions;
  #asked: string | undefined;
  #serving: Required<Pick<ModelState, 'name' | 'sha256' | 'since'>> | undefined;
  #refused: ModelState['refused'];

  constructor(telling: ModelTelling, options: ModelRecordOptions = {}) {
    this.#telling = telling;
    this.#options = options;
  }

  /** Undefined where nobody knows a name yet. */
  get state(): ModelState | undefined {
    const name = this.#serving?.name ?? this.#asked;
    if (name === undefined) return undefined;
    return { name, ...this.#serving, ...(this.#refused === undefined ? {} : { refused: this.#refused }) };
  }

  /** Notes which model the profile names. */
  ask(name: string): void {
    this.#asked = name;
  }

  /** Notes that a model took the place. @param isChange whether the node was running without it before */
  serve(model: { readonly name: string; readonly sha256: string }, isChange: boolean): void {
    const { name, sha256 } = model;
    this.#serving = { name, sha256, since: this.#now() };
    if (isChange) this.#report({ metric: 'modelTaken', tags: { model: name } });
  }

  /** Notes that the model which serves is the one of the profile. */
  agree(): void {
    this.#refused = undefined;
    const { use } = this.#options;
    const { name: model, sha256 } = this.#serving ?? {};
    this.#telling.logger.info(
      { ...(use === undefined ? {} : { use }), model, sha256 },
      'the model of the profile serves',
    );
  }

  /** Notes why the model of the profile was not taken. @param name where it is known */
  refuse({ code, message }: Pick<NgatuError, 'code' | 'message'>, name: string | undefined): void {
    const { logger } = this.#telling;
    const { use, without } = this.#options;
    this.#asked ??= name;
    this.#refused = {
      ...(name === undefined ? {} : { name }),
      ...{ code, message: message.slice(0, MESSAGE_MAX_CHARS) },
      at: this.#now(),
    };
    const tags = { ...(name === undefined ? {} : { model: name }), ...(use === undefined ? {} : { use }) };
    const instead = this.#serving === undefined ? without : 'the one before serves';
    const consequence = instead === undefined ? '' : `, ${instead}`;
    if (code === 'ASSET_UNAVAILABLE' && use !== undefined) {
      logger.warn({ code, ...tags }, `the model of the profile was not supplied${consequence}: ${message}`);
      return;
    }
    logger.error({ code, ...tags }, `the model of the profile is not taken${consequence}: ${message}`);
    this.#report({ metric: 'modelRefused', tags: { ...tags, code } });
  }

  /** Notes that the model which served does so no more. */
  lose(error: Pick<NgatuError, 'code' | 'message'>): void {
    const name = this.#serving?.name;
    this.#serving = undefined;
    this.refuse(error, name);
  }

  #now(): string {
    return new Date(this.#telling.clock.nowMs()).toISOString();
  }

  #report({ metric, tags }: { readonly metric: string; readonly tags: Record<string, string> }): void {
    const { site, node, outbox, logger } = this.#telling;
    const { use } = this.#options;
    const measurements = [
      { at: this.#now(), metric, value: 1, tags: { ...tags, ...(use === undefined ? {} : { use }) } },
    ];
    const body: Telemetry = { schemaVersion: 1, site, node, intervals: [], measurements };
    try {
      outbox.append([{ channel: 'telemetry', body }]);
    } catch (error) {
      if (!(error instanceof NgatuError) || !error.retryable) throw error;
      logger.error({ code: error.code }, `change of the model not reported: ${error.message}`);
    }
  }
}
