import type { GroundPoint } from './ground-camera.ts';

export interface PathPose {
  readonly point: GroundPoint;
  /** Counter-clockwise from the x axis, radians. */
  readonly headingRad: number;
}

/** A straight piece, or an arc: positive angles turn left. */
export type PathPiece =
  | { readonly lengthM: number }
  | { readonly radiusM: number; readonly angleDeg: number };

interface LaidPiece {
  readonly fromM: number;
  readonly lengthM: number;
  readonly start: PathPose;
  /** 1/m, positive to the left; 0 where straight. */
  readonly curvature: number;
}

/** A way over the road made of straight pieces and arcs; it goes on straight at both ends. */
export class GroundPath {
  readonly lengthM: number;
  readonly #pieces: readonly LaidPiece[];

  constructor(start: PathPose, pieces: readonly PathPiece[]) {
    let pose = start;
    let fromM = 0;
    const laid: LaidPiece[] = [];
    for (const piece of pieces) {
      const next = layPiece(piece, pose, fromM);
      laid.push(next);
      pose = follow(next, next.lengthM);
      fromM += next.lengthM;
    }
    this.lengthM = fromM;
    this.#pieces = laid;
  }

  /** Where the way is after so many metres. */
  poseAt(alongM: number): PathPose {
    const piece = this.#pieces.findLast(({ fromM }) => alongM >= fromM) ?? this.#pieces[0];
    if (piece === undefined) throw new RangeError('A path has at least one piece');
    const into = alongM - piece.fromM;
    if (into >= 0 && into <= piece.lengthM) return follow(piece, into);
    const edge = into < 0 ? piece.start : follow(piece, piece.lengthM);
    const beyond = into < 0 ? into : into - piece.lengthM;
    return {
      point: [
        edge.point[0] + beyond * Math.cos(edge.headingRad),
        edge.point[1] + beyond * Math.sin(edge.headingRad),
      ],
      headingRad: edge.headingRad,
    };
  }
}

function layPiece(piece: PathPiece, start: PathPose, fromM: number): LaidPiece {
  if ('lengthM' in piece) return { fromM, lengthM: piece.lengthM, start, curvature: 0 };
  const angle = (piece.angleDeg * Math.PI) / 180;
  const curvature = Math.sign(angle) / piece.radiusM;
  return { fromM, lengthM: Math.abs(angle) * piece.radiusM, start, curvature };
}

function follow({ start, curvature }: LaidPiece, into: number): PathPose {
  const { point, headingRad } = start;
  if (curvature === 0) {
    return {
      point: [point[0] + into * Math.cos(headingRad), point[1] + into * Math.sin(headingRad)],
      headingRad,
    };
  }
  const turned = headingRad + into * curvature;
  return {
    point: [
      point[0] + (Math.sin(turned) - Math.sin(headingRad)) / curvature,
      point[1] - (Math.cos(turned) - Math.cos(headingRad)) / curvature,
    ],
    headingRad: turned,
  };
}
