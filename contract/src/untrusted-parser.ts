/** How the bytes of an input are built, so that they can be changed with a sense of it. */
export type InputForm = 'json' | 'text' | 'binary';

/**
 * One parser that meets input of somebody whom nobody has checked, told so that it can be tried with hostile bytes
 * (`ngatu fuzz`). Each package lists its own; a test finds those that stand in no list.
 */
export interface UntrustedParser {
  /** Of lower-case words with hyphens, no two alike. */
  readonly name: string;
  /** Exported functions and classes that stand behind it: `edge/src/thermal/flir-file.ts#readFlirFile`. */
  readonly covers: readonly string[];
  /** Who may send such bytes. */
  readonly source: string;
  readonly form: InputForm;
  /** `process`: in this process, a second at most. `media`, `model`: a child process does the work, ten seconds at most. */
  readonly pace: 'process' | 'media' | 'model';
  /** Makes it ready; `folder` is empty, its own, and removed by the caller. */
  open(folder: string): Promise<OpenUntrustedParser>;
}

/** A parser that is ready, with inputs that it takes. */
export interface OpenUntrustedParser {
  /** Inputs that are taken as they are, made by the product's own code; they are changed to make hostile ones. */
  readonly samples: readonly Uint8Array[];
  /** Further inputs to start from, which need not be taken as they stand. */
  readonly variations?: readonly Uint8Array[];
  /** Inputs that are hostile as they stand (a packed file that unfolds without end); each is tried once. */
  readonly extremes?: readonly Uint8Array[];
  /**
   * Parses one input. Returns the name of the refusal where the parser declares one, undefined where it takes the input.
   * Whatever is thrown must be an NgatuError; everything else is a defect.
   */
  parse(input: Uint8Array, signal: AbortSignal): string | undefined | Promise<string | undefined>;
  close?(): Promise<void> | void;
}
