import { fillDefaults, findSchemaIssues, Rule, Scene } from '@ngatu/contract';
import { findSceneIssues } from './scene-check.ts';
import { type FileIssue, readYamlFile, refuseFile } from './yaml-file.ts';

/** A scene as it was read; `sha256` is that of the file's bytes and stands in every event. */
export interface SceneFile {
  readonly file: string;
  readonly scene: Scene;
  readonly sha256: string;
}

const MAX_ISSUES = 50;

/** Schema of each rule by its kind. */
const RULES = new Map<string, (typeof Rule.anyOf)[number]>(
  Rule.anyOf.map((schema) => [schema.properties.kind.const, schema]),
);

/**
 * Reads and checks a scene. Every issue is named at once, with its line.
 * @throws NgatuError FILE_UNREADABLE, SCENE_INVALID
 */
export async function loadScene(file: string): Promise<SceneFile> {
  const source = await readYamlFile(file, 'SCENE_INVALID');
  const value = fillDefaults(Scene, source.value);
  const issues = findSchemaIssues(Scene, value, MAX_ISSUES);
  if (issues.length > 0) {
    const readable = [...issues.filter((issue) => !isInsideRule(issue.path)), ...findRuleIssues(value)];
    throw refuseFile(source, 'SCENE_INVALID', readable.length > 0 ? readable : issues);
  }
  const scene = value as Scene;
  const contradictions = findSceneIssues(scene);
  if (contradictions.length > 0) throw refuseFile(source, 'SCENE_INVALID', contradictions);
  return { file, scene, sha256: source.sha256 };
}

function isInsideRule(path: string): boolean {
  return /^\/rules\/\d+/.test(path);
}

/** A rule is checked as the kind that it says it is: "no variant matches" would help nobody. */
function findRuleIssues(value: unknown): FileIssue[] {
  const rules = typeof value === 'object' && value !== null && 'rules' in value ? value.rules : undefined;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) => {
    const path = `/rules/${index}`;
    if (typeof rule !== 'object' || rule === null) return [{ path, reason: 'Expected object' }];
    const kind = 'kind' in rule ? rule.kind : undefined;
    const schema = typeof kind === 'string' ? RULES.get(kind) : undefined;
    if (schema === undefined)
      return [{ path: `${path}/kind`, reason: `Expected one of ${[...RULES.keys()].join(', ')}` }];
    return findSchemaIssues(schema, fillDefaults(schema, rule), MAX_ISSUES).map((issue) => ({
      path: path + issue.path,
      reason: issue.reason,
    }));
  });
}
