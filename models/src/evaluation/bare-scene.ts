import { parseWithSchema, Scene } from '@ngatu/contract';

/**
 * A scene of a picture and nothing else: for what looks at pictures without asking what they mean.
 * @param what of which picture, for the error
 * @throws NgatuError TRUTH_INVALID where the size or the analysis is none
 */
export function bareScene(
  [width, height]: readonly [width: number, height: number],
  what: string,
  analysis: Partial<Scene['analysis']> = {},
): Scene {
  const document = { schemaVersion: 1, name: 'evaluation', picture: { width, height }, analysis };
  return parseWithSchema(Scene, document, { code: 'TRUTH_INVALID', what });
}
