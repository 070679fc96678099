import type { RoadUserLabel } from '@ngatu/contract';

/** COCO class index → road user. Other classes are not looked at. Order: COCO 2017, 80 classes. */
export const COCO_ROAD_USERS: ReadonlyMap<number, RoadUserLabel> = new Map([
  [0, 'person'],
  [1, 'bicycle'],
  [2, 'car'],
  [3, 'motorbike'],
  [5, 'bus'],
  [7, 'truck'],
]);
