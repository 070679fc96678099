import type { QualitySection } from './quality-page.ts';

const HELD_OUT_JUNCTION = [
  ...['eval', 'detector', '--data', '{data}/datasets/vn-intersection'],
  ...['--only', 'models/annotations/vn-intersection-held-out.txt'],
  ...['--night', 'models/annotations/vn-intersection-night.txt'],
];
const UNLABELLED_MOTORBIKES = ['--unlabelled', 'models/annotations/vn-intersection-held-out.unlabelled.json'];
const HELD_OUT_PLATES = [
  ...['eval', 'plate-detector', '--data', '{data}/datasets/vn-plate-boxes'],
  ...['--only', 'models/annotations/vn-plate-boxes-held-out.txt'],
];

const OCCUPANT_DATA = [
  ...['datasets/cctv-bikes', 'datasets/helmet-web', 'datasets/vn-intersection', 'datasets/vn-plate-boxes'],
  'media/hanoi-giangvo-langha-1615.mp4',
];

/** Every evaluation of docs/quality.md, in the order of the page. */
export const QUALITY_SECTIONS: readonly QualitySection[] = [
  {
    name: 'violations',
    title: 'Red light and stop line on a real junction',
    note:
      'The Hanoi clip with its truth, read by eye. The clip is short: the intervals say how much these figures are worth. ' +
      'Abstentions count as misses.',
    args: ['eval', 'violations', '--data', '{data}/media'],
    data: ['media/hanoi-giangvo-langha-1615.mp4', 'media/hanoi-giangvo-langha-1615.truth.json'],
  },
  {
    name: 'violations-half-rate',
    title: 'The same at half the frame rate',
    note: 'Every second frame is left out. No rule may depend on the frame rate beyond its stated bounds.',
    args: ['eval', 'violations', '--data', '{data}/media', '--thin', '2'],
    data: ['media/hanoi-giangvo-langha-1615.mp4', 'media/hanoi-giangvo-langha-1615.truth.json'],
  },
  {
    name: 'rules',
    title: 'Every rule on simulated tracks',
    note:
      'Scripted road users with exact truth, seen through the detector’s measured noise (docs/scene-simulator.md); half of the ' +
      'cases are near-misses that must not fire.',
    args: ['eval', 'rules', '--cases', '200'],
    data: [],
  },
  {
    name: 'speed',
    title: 'Speed on exact trajectories',
    note: 'Simulated cameras, exact ground truth; the 95 % interval must hold 90–98 % of the true speeds.',
    args: ['eval', 'speed'],
    data: [],
  },
  {
    name: 'tracker-mot15',
    title: 'Tracking: six sequences of MOTChallenge 2015',
    note: 'Public detections and truth; one parameter set. Pedestrians only: vehicles are below.',
    args: ['eval', 'tracker', '--data', '{data}/datasets/mot15'],
    data: ['datasets/mot15'],
  },
  {
    name: 'tracker-mot17-04',
    title: 'Tracking: MOT17-04 with weak detections',
    note: 'Public DPM detections; they cap MOTA near 34.',
    args: ['eval', 'tracker', '--data', '{data}/datasets/mot17-04-dpm'],
    data: ['datasets/mot17-04-dpm'],
  },
  {
    name: 'tracker-annotated',
    title:
      'Detector and tracker on real traffic: a junction, a parked street, a motorway in fog, people on a square',
    note:
      'Clips annotated by eye (models/annotations), seen through the product’s own detector: what is missing was mostly not detected. ' +
      'In fog less than half of the boxes are found, far ones first; who is found keeps its number. An SD picture of 352×288 has part in that. ' +
      'On the square (vtest) a finger post, a tripod and a patch of tar are taken for people: most of what is false there (a scene can name such things).',
    args: ['eval', 'tracker', '--data', 'models/annotations', '--media', '{data}/media'],
    data: [
      ...['media/intersection-borislavy.mp4', 'media/street-parked-ckuhn.mp4'],
      'media/motorway-fog-autostrade.mp4',
    ],
  },
  {
    name: 'detector-vn-intersection',
    title: 'Detector: scenes of a Vietnamese junction that were not trained on',
    note:
      'Stretched and contrast-equalised pictures of one junction, some objects unlabelled. Night: frames told by eye ' +
      '(models/annotations/vn-intersection-night.txt). MOTORBIKE is the bike with its riders. The target (motorbike AP50 0.85) is missed.',
    args: [...HELD_OUT_JUNCTION, '--max-width', '640'],
    data: ['datasets/vn-intersection'],
  },
  {
    name: 'detector-vn-intersection-unlabelled',
    title: 'The same, with the motorbikes that nobody labelled left out of account',
    note:
      'What two networks found away from every label was judged by eye (models/annotations/vn-intersection-held-out.unlabelled.json): what is found at ' +
      'a motorbike that nobody labelled, or that cannot be told, counts neither way. Recall is that of the labels, as above.',
    args: [...HELD_OUT_JUNCTION, '--max-width', '640', ...UNLABELLED_MOTORBIKES],
    data: ['datasets/vn-intersection'],
  },
  {
    name: 'detector-cctv-bikes',
    title: 'Detector: motorbikes of one CCTV camera, at times that were not trained on',
    note: 'Motorbike with riders, one Indian camera.',
    args: [
      ...['eval', 'detector', '--data', '{data}/datasets/cctv-bikes', '--only'],
      'models/annotations/cctv-bikes-held-out.txt',
    ],
    data: ['datasets/cctv-bikes'],
  },
  {
    name: 'detector-models',
    title: 'Every packaged detector at three sizes',
    note:
      'The scenes of the junction that were not trained on. The default is road-users-nano; how little it forgot of other streets says its card. ' +
      'Latency is of this machine, one picture after the other.',
    args: [...HELD_OUT_JUNCTION, '--all-models', '--sizes', '416,512,640'],
    data: ['datasets/vn-intersection'],
  },
  {
    name: 'detector-close-ups',
    title: 'A closer look at the whole picture, by how many times it is enlarged',
    note:
      'The same scenes, looked at once, and besides enlarged, as a close-up of a scene looks at a part of the picture (docs/scenes.md): how far ' +
      'small road users gain, and what it costs. On pictures of close bikes (cctv-bikes) it gains nothing.',
    args: [...HELD_OUT_JUNCTION, '--max-width', '640', '--enlarge', '0,1.3,1.5,1.75,2'],
    data: ['datasets/vn-intersection'],
  },
  {
    name: 'detector-close-ups-unlabelled',
    title: 'The closer look, with the motorbikes that nobody labelled left out of account',
    note: 'What is found enlarged alone was not looked through for motorbikes that nobody labelled: such count as wrong here.',
    args: [
      ...[...HELD_OUT_JUNCTION, '--max-width', '640', '--enlarge', '0,1.5,1.75,2'],
      ...UNLABELLED_MOTORBIKES,
    ],
    data: ['datasets/vn-intersection'],
  },
  {
    name: 'plates',
    title: 'Plates: what stands on them',
    note:
      'Crops of Vietnamese plates of one and two lines, read by eye by one reader. No network was trained on them, but the reader was built with ' +
      'its misses here in view (docs/plates.md).',
    args: ['eval', 'plates', '--data', '{data}/datasets/vn-plates'],
    data: ['datasets/vn-plates'],
  },
  {
    name: 'plate-passages',
    title: 'Plates: by their size, and what a vote of eight pictures adds',
    note:
      'The same crops made smaller, as eight pictures of a camera that the plate comes closer to, by the reader that is carried alone. Shrunken crops are ' +
      'sharper than what a lens makes of a distant plate. How much a vote may add was chosen on drawn plates, not here.',
    args: [
      ...['eval', 'plates', '--data', '{data}/datasets/vn-plates'],
      ...['--reader', 'plate-reader-vn', '--passages', '12,16,20,24,28,36'],
    ],
    data: ['datasets/vn-plates'],
  },
  {
    name: 'plate-detector',
    title: 'Plates: where they are, in scenes that were not trained on',
    note: 'Most of the labelled plates are below 16 px. The targets (recall and precision 0.95) are missed.',
    args: HELD_OUT_PLATES,
    data: ['datasets/vn-plate-boxes'],
  },
  {
    name: 'plate-detector-unlabelled',
    title: 'The same, with the plates that nobody labelled left out of account',
    note:
      'More plates of these pictures have no label than have one (107 that are sure for 71), told by eye of what three networks found. What is found there counts ' +
      'neither way; recall is that of the labels, as above. What is read where no plate is was invented.',
    args: [
      ...HELD_OUT_PLATES,
      ...['--unlabelled', 'models/annotations/vn-plate-boxes-held-out.unlabelled.json', '--read'],
    ],
    data: ['datasets/vn-plate-boxes'],
  },
  {
    name: 'lamps',
    title: 'Lamp states of single pictures',
    note:
      'Most of these crops were in the training of the network: the card of lamp-state has the figures without them, where recall of red is 0.92. Colours ' +
      'alone stand beside.',
    args: ['eval', 'lamps', '--data', '{data}/datasets/lights-udacity-crops'],
    data: ['datasets/lights-udacity-crops'],
  },
  {
    name: 'helmets',
    title: 'Bare heads on photos of another source',
    note: 'Not one of these photos was trained on. Experimental, off by default; every case of the rule says that a human must look.',
    args: ['eval', 'helmets', '--data', '{data}/datasets/helmet-web'],
    data: ['datasets/helmet-web'],
  },
  {
    name: 'occupants',
    title: 'How many ride on a motorbike',
    note:
      '337 motorbikes of five sources that were not trained on, counted by eye (models/annotations). The boxes of most are those of the product’s ' +
      'detector: what it finds is no measure. Three and more stand in photographs alone.',
    args: ['eval', 'occupants', '--data', 'models/annotations'],
    data: OCCUPANT_DATA,
  },
  {
    name: 'occupants-boxes',
    title: 'The same, by the boxes of people alone',
    note: 'What the product counts where the network cannot be had.',
    args: ['eval', 'occupants', '--data', 'models/annotations', '--counter', 'none'],
    data: OCCUPANT_DATA,
  },
  {
    name: 'fever',
    title: 'Fever decision on published temperatures',
    note: 'Facial temperatures of 1,020 subjects with oral truth; threshold locked on one half, figures on the other.',
    args: ['eval', 'fever', '--data', '{data}/datasets/fever-irt'],
    data: ['datasets/fever-irt'],
  },
  {
    name: 'masks',
    title: 'Masks on faces of single pictures',
    note:
      'Each picture is judged by a network and numbers that were learned without it. Most faces are small; the targets (F1 0.95 from 32 px on, 0.90 on all) ' +
      'are not met (docs/masks.md).',
    args: ['eval', 'masks', '--data', '{data}/datasets/masks'],
    data: ['datasets/masks'],
  },
  {
    name: 'masks-street',
    title: 'Masks on faces of riders on the street',
    note:
      'Findings of three finders in a set of riders, judged by eye (models/annotations/street-faces.json): recall is among what any of them found. No ' +
      'network was trained on these faces, and the numbers of fused are those of folds. Scarves, visors and what cannot be told count nowhere.',
    args: ['eval', 'masks', '--data', '{data}/datasets', '--faces', 'models/annotations/street-faces.json'],
    data: ['datasets/helmet-indian-street'],
  },
  {
    name: 'masks-people',
    title: 'Masks: people of a video, counted once each',
    note: 'A clip annotated by eye (models/annotations): 13 people. A check that the counting works, no measure of how well.',
    args: ['eval', 'masks', '--data', 'models/annotations'],
    data: ['media/masked-people-walking.mp4'],
  },
  {
    name: 'anomalies',
    title: 'Anomalies of traffic series',
    note: 'Five series of the Numenta Anomaly Benchmark, its standard profile; parameters were chosen on generated series.',
    args: ['eval', 'anomalies', '--data', '{data}/datasets/nab-traffic'],
    data: ['datasets/nab-traffic'],
  },
];
