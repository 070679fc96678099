export {
  type Authority,
  createAuthority,
  isAuthorityFolder,
  loadIssued,
  loadRevocationList,
  openAuthority,
  publishRevocationList,
  revoke,
} from './authority/authority.ts';
export { REVOCATION_REASONS, type RevocationReason } from './authority/authority-ledger.ts';
export { type CertificateFacts, readCertificate, splitPem } from './authority/certificate.ts';
export type { CertificateHolder, CertificateUse } from './authority/certificate-holder.ts';
export { openDeviceTls } from './authority/device-tls.ts';
export {
  type CertifiedKey,
  exportPrivateKey,
  type Identity,
  loadIdentity,
  settlePair,
} from './authority/identity-folder.ts';
export { createRequest, installAnswer } from './authority/identity-request.ts';
export {
  issueBrokerIdentity,
  issueCentreIdentity,
  issueIdentity,
  issueNodeIdentity,
  signRequest,
} from './authority/issue-identity.ts';
export { readNodeCertificate } from './authority/node-certificate.ts';
export { writePrivateFile } from './authority/private-file.ts';
export { loadTlsCredentials, type TlsCredentials } from './authority/tls-credentials.ts';
export { describeTlsError } from './authority/tls-error.ts';
export {
  mergeRevocationLists,
  type VerifyCertificateOptions,
  verifyCertificate,
} from './authority/verify-certificate.ts';
export { encodeCanonicalJson } from './canonical-json.ts';
export {
  assembleExport,
  type ExportedCase,
  type ExportedFile,
  type ExportPlan,
} from './case-export/assemble-export.ts';
export { EXPORT_PATHS, type ExportFileState } from './case-export/export-index.ts';
export {
  CHECK_TITLES,
  EXPORT_CHECKS,
  type ExportCheck,
  type ExportReport,
  VERDICT_TITLES,
} from './case-export/export-report.ts';
export { type MutationTally, runMutationCampaign } from './case-export/mutation-campaign.ts';
export { computeEventSha256, toChainLink } from './case-export/verify-case.ts';
export { verifyExport } from './case-export/verify-export.ts';
export { computeJsonSha256 } from './digest.ts';
export { type ChainFault, type ChainLink, findLinkFault } from './seal/chain.ts';
export { toSealKey } from './seal/identity-seal.ts';
export {
  type ChainPlace,
  computeManifestSha256,
  isSealed,
  type SealedManifest,
  sealManifest,
  verifyManifestSeal,
} from './seal/manifest-seal.ts';
export { signReceipt, verifyReceipt } from './seal/receipt.ts';
export { type SealKey, toCertificatePem } from './seal/seal-key.ts';
export { type SealAnchors, SealTrust } from './seal/signer-certificate.ts';
export { loadTrustParsers } from './untrusted/load-parsers.ts';
