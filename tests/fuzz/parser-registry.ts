import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listFiles, parseSource, ROOT, type SourceFile } from '../source/source-tree.ts';

/** Names of functions that turn what came from outside into something of ours. */
const PARSER_NAME = /^(parse|read|decode|load|split|unpack|extract|verify)[A-Z]/;
const FOLDERS = ['contract', 'trust', 'edge', 'cloud', 'models', 'firmware-config', 'simulators', 'cli'];

/** Parsers that no campaign tries, each with the reason. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  // options of the operator's own command line: a wrong one is refused by name (cli/src/option.ts and its users)
  'cli/src/option.ts#readPort': 'an option that the operator types',
  'cli/src/option.ts#readCount': 'an option that the operator types',
  'cli/src/option.ts#readShare': 'an option that the operator types',
  'cli/src/eval-rules-command.ts#readKind': 'an option that the operator types',
  'cli/src/secret-option.ts#readSecret': 'a variable of the operator’s own environment',
  'models/src/evaluation/annotation-file.ts#readAnnotationFile':
    'part of the annotations, each of which is tried',
  'models/src/evaluation/mask-training.ts#readMaskTraining':
    'a file of this repository, built into the program',
  'cli/src/start-files.ts#loadStartSecrets': 'only names the files of `loadSecrets`, which is tried',
  'cli/src/road-picture.ts#readRoadPicture': 'hands a video to ffmpeg as `video-file` does, which is tried',
  'cli/src/certificate-option.ts#readHolder': 'an option that the operator types',
  'cli/src/picture-choice.ts#readPictureChoice':
    'hands files that the operator names to the readers of lists',
  'cli/src/name-list.ts#readNameList':
    'lines of a file that the operator names, compared with the names of pictures',
  'cli/src/fuzz-parsers.ts#loadUntrustedParsers': 'lists the parsers',
  'cloud/src/api/access-rule-table.ts#readRoles': 'reads a table of the product itself',
  'cloud/src/account/oidc-settings.ts#readClientSecret':
    'a file or variable that the operator names; its text is not parsed',
  // columns and values behind a parser that is tried
  'edge/src/model/model-file.ts#loadNetwork':
    'reads bytes and compares their digest; what parses them is tried as `onnx-outline` and `onnx-model`',
  'cloud/src/account/account-store.ts#decodeTrust':
    'columns that the store itself wrote; a damaged file is tried as `account-database`',
  'cloud/src/account/audit-chain.ts#readHead': 'columns that the store itself wrote',
  'cloud/src/account/audit-verification.ts#verifyAuditTrail':
    'its own tests change, cut and forge rows and anchors',
  'cloud/src/account/access-desk.ts#verifyAuditOf': 'as `verifyAuditTrail`',
  'cloud/src/account/password.ts#verifyPassword':
    'compares; length and form of the password are those of `api-request`',
  'cloud/src/api/reason.ts#readReason': 'a word of a body, tried with the routes of `api-request`',
  'trust/src/authority/authority.ts#loadIssued':
    'the ledger of the authority on its own machine: SQLite with its own check',
  'trust/src/authority/authority.ts#loadRevocationList':
    'hands over a text that `certificate` reads, which is tried',
  'trust/src/authority/private-file.ts#readFileIfThere': 'hands over bytes as they are',
  'trust/src/authority/x509-library.ts#loadX509': 'loads a library',
  'simulators/scene/picture-stream.ts#decodePictures':
    'hands a video to ffmpeg as `video-file` does, which is tried; simulations only',
  'edge/src/uplink/upload-file.ts#splitFile': 'cuts a length into parts',
  // numbers, not bytes: their input has passed a parser before
  'edge/src/thermal/face-reading.ts#readFace': 'works on temperatures that a parser has read',
  'edge/src/thermal/blackbody.ts#readBlackbody': 'works on temperatures that a parser has read',
  'edge/src/evidence/still.ts#extractStills': 'part of `ring-segment`, which is tried',
  'models/src/evaluation/plate-finding-reading.ts#readFindings':
    'works on pictures that were decoded already',
  'models/src/evaluation/fever-decision.ts#readPassage': 'works on a row that `fever-table` has read',
  'simulators/scene/noise-process.ts#readQuantile': 'works on a table of the product itself',
  // the product's own file, or a library that checks what it fetched
  'models/src/asset-package.ts#unpackNpmPackage':
    'npm and tar unpack it; the file that is taken is verified by sha256',
  'models/src/asset-package.ts#unpackDebianPackage':
    'dpkg and tar unpack it; the file that is taken is verified by sha256',
  'models/src/evaluation/violation-clip.ts#loadViolationClips':
    'reads by `loadViolationTruth` and `loadScene`, which are tried',
  'simulators/camera/test-video.ts#decodePictures': 'support of tests',
};

const DECLARATION =
  /^export (async )?(function\*?|const) \*?(parse|read|decode|load|split|unpack|extract|verify)[A-Z]/m;

/** Files of the product in which an exported function is called so. Only these are read as TypeScript. */
export function loadParserSources(): SourceFile[] {
  return listFiles()
    .filter((path) => path.endsWith('.ts') && FOLDERS.includes(path.split('/')[0] ?? ''))
    .flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return DECLARATION.test(text) ? [parseSource(path, text)] : [];
    });
}

/** An exported function whose name says that it parses: `folder/file.ts#name`. */
export function listExportedParsers(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path, isTest }) => !isTest && !/\/(console|page|untrusted|testing)\//.test(path))
    .flatMap(({ path, tree }) =>
      tree.statements.flatMap((statement) => namesOf(statement)).map((name) => `${path}#${name}`),
    )
    .sort();
}

function namesOf(statement: ts.Statement): string[] {
  const isExported = ts.canHaveModifiers(statement)
    ? ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
    : false;
  if (!isExported) return [];
  const names: string[] = [];
  if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) names.push(statement.name.text);
  if (ts.isVariableStatement(statement)) {
    for (const { name, initializer } of statement.declarationList.declarations) {
      const isFunction =
        initializer !== undefined &&
        (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer));
      if (ts.isIdentifier(name) && isFunction) names.push(name.text);
    }
  }
  return names.filter((name) => PARSER_NAME.test(name));
}
