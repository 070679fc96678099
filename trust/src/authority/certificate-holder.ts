import { NgatuError, Slug } from '@ngatu/contract';

/** Whom a certificate names: a node of a site, the centre, or the broker. */
export type CertificateHolder =
  | { readonly kind: 'node'; readonly site: string; readonly node: string }
  | { readonly kind: 'centre' }
  | { readonly kind: 'broker' };

/** What a certificate may be used for. */
export type CertificateUse = 'client' | 'server' | 'seal';

/** Extended key usages: RFC 5280 section 4.2.1.12; document signing: RFC 9336. */
export const USE_OIDS: Readonly<Record<CertificateUse, string>> = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  seal: '1.3.6.1.5.5.7.3.36',
};

/** ub-common-name of RFC 5280 appendix A. */
const COMMON_NAME_MAX_LENGTH = 64;
const SLUG = new RegExp(Slug.pattern ?? '');

/** The URI in the certificate's subject alternative name. */
export function buildHolderUri(holder: CertificateHolder): string {
  return holder.kind === 'node' ? `urn:ngatu:node:${holder.site}:${holder.node}` : `urn:ngatu:${holder.kind}`;
}

/**
 * The common name, which the broker takes as the user name: `{site}/{node}`, so that its pattern of topics is below that.
 * @throws NgatuError CERTIFICATE_INVALID where the name cannot stand in a certificate
 */
export function buildCommonName(holder: CertificateHolder): string {
  if (holder.kind !== 'node') return holder.kind;
  const { site, node } = holder;
  const name = `${site}/${node}`;
  if (SLUG.test(site) && SLUG.test(node) && name.length <= COMMON_NAME_MAX_LENGTH) return name;
  throw new NgatuError(
    'CERTIFICATE_INVALID',
    `Cannot name a certificate "${name}": site and node are lower-case letters, digits and hyphens, together at most ${COMMON_NAME_MAX_LENGTH - 1} characters`,
  );
}

/** Undefined where the URI is none of ours. */
export function parseHolderUri(uri: string): CertificateHolder | undefined {
  if (uri === 'urn:ngatu:centre') return { kind: 'centre' };
  if (uri === 'urn:ngatu:broker') return { kind: 'broker' };
  const [urn, nid, kind, site, node, ...rest] = uri.split(':');
  if (urn !== 'urn' || nid !== 'ngatu' || kind !== 'node' || rest.length > 0) return undefined;
  if (site === undefined || node === undefined || !SLUG.test(site) || !SLUG.test(node)) return undefined;
  return { kind, site, node };
}
