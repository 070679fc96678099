import { join } from 'node:path';
import type { Event, EvidenceManifest } from '@ngatu/contract';
import { createAuthority, issueCentreIdentity, issueNodeIdentity } from '@ngatu/trust';
import { pino } from 'pino';
import { EvidenceSealer } from '../../edge/src/evidence/seal-chain.ts';
import { buildSealedFacts } from '../../edge/src/evidence/seal-facts.ts';
import { aScene } from '../../edge/src/testing/builder.ts';
import { anEvent, NODE, SITE } from './message-builder.ts';

/** Before the first message of the builders, 1 March 2025, and after the last that a test will send. */
const ISSUED_AT_MS = Date.UTC(2025, 1, 20);
const VALID_DAYS = 3_000;

/** An authority, the identity of the centre in `<centreDir>/identity`, and the node's seal with its chain. */
export class TestSeal {
  readonly #sealer: EvidenceSealer;
  #head: string | undefined;

  private constructor(sealer: EvidenceSealer) {
    this.#sealer = sealer;
  }

  static async open(folder: string, centreDir: string): Promise<TestSeal> {
    const clock = { nowMs: () => ISSUED_AT_MS };
    const authority = await createAuthority(join(folder, 'authority'), { name: 'Test', clock });
    const validDays = VALID_DAYS;
    await issueCentreIdentity(authority, {
      hosts: ['localhost'],
      dir: join(centreDir, 'identity'),
      validDays,
    });
    const dir = join(folder, 'node-identity');
    await issueNodeIdentity(authority, { site: SITE, node: NODE, dir, validDays });
    const logger = pino({ level: 'silent' });
    return new TestSeal(await EvidenceSealer.open({ dir, site: SITE, node: NODE, logger }));
  }

  /** Seals the next manifest of the node's chain; it is that of `event`. */
  seal({ seal: _, ...manifest }: EvidenceManifest, event: Event = anEvent(0)): EvidenceManifest {
    const rule = { name: event.rule, kind: 'RED_LIGHT', stopLine: 'stop-line', signal: 'main' };
    const facts = buildSealedFacts(event, { scene: aScene({ rules: [rule] }), softwareVersion: '0.1.0' });
    const outboxId = '00000000-0000-4000-8000-000000000000';
    const sealed = this.#sealer.seal(manifest, { facts, outboxId, head: this.#head });
    this.#head = sealed.head;
    return sealed.manifest;
  }
}
