import type { FaultKind } from './fault-injection.ts';
import { agentFaults } from './fault-kind-agent.ts';
import { centreFaults } from './fault-kind-centre.ts';
import { linkFaults } from './fault-kind-link.ts';

/** Every kind of fault that a campaign can do. */
export const FAULT_KINDS: readonly FaultKind[] = [...agentFaults, ...centreFaults, ...linkFaults];
