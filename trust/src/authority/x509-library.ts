export type X509Library = typeof import('@peculiar/x509');

let library: Promise<X509Library> | undefined;

/**
 * The X.509 library, loaded when it is first needed: it takes a quarter of a second that a start without certificates
 * need not pay, and its dependency container asks for a metadata registry on `Reflect` before it is evaluated. Works in Node
 * and in a browser (secure context: https, localhost or a file).
 */
export function loadX509(): Promise<X509Library> {
  library ??= importX509();
  return library;
}

async function importX509(): Promise<X509Library> {
  provideMetadata();
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  return x509;
}

type Metadata = Map<unknown, unknown>;

/** The three functions of the Metadata Reflection proposal that the library's container calls; nothing inherits. */
function provideMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const known = new WeakMap<object, Metadata>();
  const read = (key: unknown, target: object): unknown => known.get(target)?.get(key);
  const define = (key: unknown, value: unknown, target: object): void => {
    const metadata: Metadata = known.get(target) ?? new Map();
    known.set(target, metadata.set(key, value));
  };
  Object.assign(Reflect, { getMetadata: read, getOwnMetadata: read, defineMetadata: define });
}
