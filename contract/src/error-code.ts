/**
 * Every error code of the product with what it means to the person who meets it. `docs/reference/errors.md` is
 * generated from this table and a test checks that each code is used and documented.
 */
export const ERROR_CODES = {
  // set-up and start
  SETUP_PACKAGE_MISSING: 'A system package is missing and cannot be installed without root or sudo.',
  SETUP_INSTALL_FAILED: 'apt or npm failed while installing; its last lines are shown.',
  PORT_TAKEN: 'The port that was asked for is used by another process.',
  DISK_FULL: 'The disk that holds the data folder has no space left.',
  PERMISSION_DENIED: 'The data folder or a file in it cannot be read or written by this user.',
  DATA_FOLDER_IN_USE: 'Another ngatu runs on the same data folder.',
  CHILD_FAILED: 'A part of the product stopped and could not be started again.',
  USAGE: 'The command line could not be understood.',
  // assets
  ASSET_UNKNOWN: 'The asset manifest has no entry of this name.',
  ASSET_UNAVAILABLE: 'None of the sources of the asset could be reached.',
  ASSET_DIGEST_MISMATCH: 'The bytes found for the asset do not have the sha256 of the manifest.',
  // configuration
  PROFILE_INVALID: 'The gateway profile does not match its schema, or refers to something that is not there.',
  SCENE_INVALID: 'The scene file does not match its schema, or contradicts itself.',
  CALIBRATION_INVALID:
    'The pairs or lengths of a calibration do not determine how the picture lies on the road, or contradict each other.',
  TRUTH_INVALID: 'A truth file of an evaluation does not match its schema.',
  DETECTIONS_INVALID: 'A file of detections or tracks of an evaluation has a line that is not of its format.',
  FILE_UNREADABLE: 'A file that was named cannot be read.',
  FILE_UNWRITABLE:
    'What was named cannot be written: a folder stands where a file should or the other way round, or the name is too long.',
  // edge
  VIDEO_UNREADABLE: 'The file or stream is not video that ffmpeg can decode.',
  PICTURE_UNREADABLE: 'The file is not a picture that can be decoded.',
  CAMERA_UNREACHABLE: 'The camera did not answer, or refused the connection.',
  CAMERA_UNAUTHORIZED: 'The camera refused the user name and password.',
  CAMERA_STALLED: 'The camera is connected but no picture arrived within the time limit.',
  THERMAL_INVALID:
    'A thermal picture, recording or matrix of temperatures is damaged, or not of a form that is known.',
  THERMAL_UNAVAILABLE: 'A thermal camera or its feed did not answer.',
  GATE_MEMORY_INVALID: 'What a fever gate had learned cannot be read back: it begins anew.',
  MODEL_INVALID:
    'The model file cannot be loaded, or has not the tensors, operators or classes that its manifest names.',
  MODEL_DIGEST_MISMATCH: 'The model file does not have the sha256 of its manifest.',
  MODEL_MANIFEST_INVALID:
    'A model manifest does not match its schema, contradicts itself, or names a file outside its folder.',
  LEARNED_STATE_INVALID:
    'What was learned of a series cannot be read back from the disk; it is learned anew.',
  LEARNED_STATE_UNWRITTEN: 'What was learned of a series cannot be written to the disk.',
  CLIP_UNAVAILABLE: 'The compressed ring no longer, or not yet, holds the time that was asked for.',
  OUTBOX_CORRUPT: 'The outbox database cannot be opened; it was moved aside and a new one begun.',
  OUTBOX_VERSION: 'The outbox database was written by a newer version of the program.',
  OUTBOX_LOCKED: 'Another process holds the outbox database.',
  OUTBOX_FULL: 'The outbox has reached its limit of bytes.',
  OUTBOX_CONFLICT: 'Two machines number their messages under the identity of one outbox.',
  SIGNAL_STALE:
    'A signal controller’s message is a repetition, older than one before it, or past its validity.',
  SIGNAL_CLOCK: 'The clock of a signal controller differs from the node’s by more than its profile allows.',
  INPUT_UNREADABLE: 'A digital input of a signal cannot be read, or reads something other than 0 or 1.',
  SENSOR_UNREACHABLE: 'A sensor, its line or its broker did not answer in time.',
  SENSOR_REFUSED: 'A sensor answered that it cannot give the value (a Modbus exception, an HTTP status).',
  SENSOR_GARBLED:
    'What a sensor answered or sent is damaged, too large or of another form than its profile says.',
  SENSOR_TEMPLATE_INVALID: 'A file with the readings of a kind of sensor does not match its schema.',
  SENSOR_SERIES_INVALID: 'A file of a recorded series is not rows of time and value.',
  BROKER_UNREACHABLE: 'The MQTT broker did not answer.',
  UPLOAD_FAILED: 'An evidence file could not be sent to the centre.',
  // ingestor
  MESSAGE_NOT_JSON: 'The MQTT payload is not JSON.',
  MESSAGE_TOO_LARGE: 'The MQTT payload is larger than the limit.',
  MESSAGE_INVALID: 'The MQTT payload does not match its schema.',
  MESSAGE_VERSION: 'The schema version of the payload is not known here.',
  TOPIC_INVALID: 'The topic is not one of ngatu, or names another site or node than the payload.',
  EVENT_CONFLICT: 'An event of this id is stored with another content.',
  STORE_CORRUPT: 'A database of the centre cannot be opened.',
  SERIES_SETTINGS_INVALID: 'The file series.json of the centre cannot be read or does not match its schema.',
  STORE_UNAVAILABLE: 'A store did not answer.',
  EVIDENCE_DIGEST_MISMATCH: 'The uploaded bytes do not have the sha256 that was announced.',
  EVIDENCE_TOO_LARGE: 'The uploaded file is larger than the limit.',
  EVIDENCE_UNKNOWN: 'No evidence manifest announced this file.',
  // seals and exports
  SEAL_MISSING: 'An evidence manifest carries no seal.',
  SEAL_INVALID:
    'The seal of a manifest or a receipt does not hold: it was changed, or signed by another key.',
  CHAIN_CONFLICT:
    'A manifest does not fit into its node’s chain: a link is there twice, follows another one, or is another node’s.',
  EXPORT_INVALID: 'The file is no case export, or cannot be read as one.',
  EXPORT_UNVERIFIED: 'At least one check of a case export failed; the report says which.',
  // certificates
  CERTIFICATE_INVALID: 'A certificate cannot be read, or its name or its use is not what it must be.',
  CERTIFICATE_FOREIGN: 'A certificate was issued by another authority than the one that it must be of.',
  CERTIFICATE_EXPIRED: 'A certificate is not valid at this time: rotate it, or set the clock right.',
  CERTIFICATE_REVOKED: 'A certificate was revoked by its authority.',
  CERTIFICATE_MISSING: 'The other side asks for a certificate, and none was shown.',
  CERTIFICATE_REQUEST_INVALID:
    'A request for a certificate is damaged, or asks for another name or key than expected.',
  IDENTITY_INVALID:
    'A folder of keys and certificates is incomplete, does not fit together, or is open to others.',
  AUTHORITY_INVALID: 'The folder of the certificate authority, its key or its ledger cannot be used.',
  REVOCATION_LIST_INVALID: 'A revocation list is damaged, or was not signed by the authority.',
  // API
  REQUEST_INVALID: 'The request does not match the schema of its route.',
  UNAUTHENTICATED: 'Nobody is signed in.',
  CREDENTIALS_INVALID: 'The user name or password is wrong.',
  SECOND_FACTOR_REQUIRED: 'The password is right; the account asks for a code of its second factor as well.',
  SECOND_FACTOR_WRONG:
    'The code is not the one that the authenticator app shows now, or setting it up took too long.',
  ACCOUNT_INCOMPLETE: 'The person must first choose another password, or set up a second factor.',
  ACCOUNT_TAKEN: 'Another account has this name.',
  OIDC_UNAVAILABLE: 'The provider of single sign-on does not answer, or its settings are wrong.',
  OIDC_REFUSED:
    'The provider of single sign-on did not vouch for the person, or gives the person no role here.',
  ACCESS_SETTINGS_INVALID: 'The settings of single sign-on do not match their schema.',
  AUDIT_TAMPERED: 'The audit trail does not prove itself: a row was changed, removed, moved or taken back.',
  FORBIDDEN: 'The account has not the role that this needs, or the request came from another site.',
  NOT_FOUND: 'There is nothing under this address.',
  EVENT_LET_PASS: 'The case was let pass; there is nothing to decide about it.',
  DIRECTIVE_ENDED: 'The directive has ended already, by its time or by a person.',
  SCREENING_CLOSED: 'The hour within which a thermometer reading of the passage may be entered is over.',
  DIRECTIVE_LIMIT: 'The node holds as many directives as it can take.',
  ORIGINAL_SEALED: 'The original shows others than the subject: it opens by a granted request with a reason.',
  OPENING_CONFLICT: 'The request to open an original was decided already, or has lapsed.',
  PRIVACY_POLICY_INVALID: 'The file privacy.json of the centre cannot be read or does not match its schema.',
  PLATE_CONFLICT: 'Somebody else has judged the plate of this case since it was opened.',
  REVIEW_CONFLICT: 'Somebody else has decided this case since it was opened.',
  RATE_LIMITED: 'Too many requests; wait and try again.',
  INTERNAL: 'The product failed in a way that nobody foresaw.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An operating failure: something outside the code did not do what was needed. Branch on `code`, never on text. */
export class NgatuError extends Error {
  readonly code: ErrorCode;
  /** True where the same call may succeed later without any change. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NgatuError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
