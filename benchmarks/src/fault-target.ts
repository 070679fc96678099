/** The processes of the product, and `node`: a second node without cameras that appends many messages a second. */
export type FaultPart = 'broker' | 'ingestor' | 'api' | 'camera' | 'edge' | 'node';

/** A stretch of network; clients connect to a port of it instead of to what lies behind. */
export interface FaultLink {
  setConditions(change: { bitsPerSecond?: number; roundTripMs?: number; lossFraction?: number }): void;
  /** Connections are reset and new ones refused, until `restore`. */
  cut(): void;
  /** Connections stay and nothing passes, until `restore`; then they go on. */
  freeze(): void;
  restore(): void;
  /** Half-open: the connections that there are stay open at both ends and never carry anything again. New ones pass. */
  forget(): void;
}

/** A file system of its own that can be filled to the last byte. */
export interface FaultDisk {
  fill(): void;
  free(): void;
}

/** Everything that a campaign reaches into; the command line puts it together, as `ngatu start` puts the product together. */
export interface FaultTarget {
  /** Starts everything, and resolves when every part is ready. */
  start(signal: AbortSignal): Promise<void>;
  /** Stops everything in order. */
  stop(): Promise<void>;
  /** Lets the second node append no more; it goes on sending. */
  quietNode(): void;
  /** Folders of the agent, of the second node and of the centre. */
  readonly folders: {
    readonly edge: string;
    readonly node: string;
    readonly cloud: string;
    readonly broker: string;
  };
  readonly camera: string;
  /** Address of the API. */
  readonly apiUrl: string;
  /** What the second node noted of itself, outside of the product. */
  readonly journal: string;
  /** The process that is this part now; absent where none runs, or none that was let through its gate. */
  pidOf(part: FaultPart): number | undefined;
  /** Holds the part back at its next start until the returned function is called. */
  holdStart(part: FaultPart): () => void;
  /** The clock of one process: so much beside the machine's, and so much faster. Absent: the machine's own. */
  readonly setClock:
    | ((part: 'edge' | 'ingestor', error?: { offsetS: number; rate: number }) => void)
    | undefined;
  /** `uplink`: node to centre. `backbone`: ingestor to broker, API to ingestor. */
  readonly links: { readonly uplink: FaultLink; readonly backbone: FaultLink };
  /** Absent, with the reason, where this machine allows no such disks. */
  readonly disks: { readonly edge: FaultDisk; readonly cloud: FaultDisk } | { readonly missing: string };
  /** Absent, with the reason, where no process may be traced. */
  readonly tracing: { readonly program: string } | { readonly missing: string };
  /** Tells the simulated camera to misbehave: a path of its control. */
  tellCamera(path: string): Promise<void>;
  /** JSON lines of a part's log, oldest first. */
  readLog(part: FaultPart): Record<string, unknown>[];
}
