"""The labelled sets, the groups that no split may cut, and which of them are held out."""
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from detection import BUS, CAR, LIGHT, MOTORBIKE, PLATE, TRUCK
from duplicates import compute_distances, compute_hash, group_by_distance

# Set -> class of its label files -> ours. Only sets with a licence that allows it (README.md).
CLASSES = {
    'vn-intersection': {0: BUS, 1: CAR, 2: MOTORBIKE, 3: LIGHT, 4: TRUCK},
    'vn-plate-boxes': {0: PLATE},
    'cctv-bikes': {0: MOTORBIKE},
    'lights-indonesia': {0: LIGHT, 1: LIGHT, 2: LIGHT},
    'lights-korea': {0: LIGHT, 1: LIGHT, 2: LIGHT, 3: LIGHT},
    'helmet-indian-street': {},
    'masks': {},
    'car-detection': {},
    'one-by-one-person-detection': {},
}
# Clips with a licence that allows it, of which every so manieth picture is taken.
CLIPS = {'car-detection': 5, 'one-by-one-person-detection': 20}
# Pictures of other places, on which the network is to go on seeing what the original sees.
ORDINARY = {'cctv-bikes', 'lights-indonesia', 'lights-korea', 'helmet-indian-street', 'masks', *CLIPS}
# Pictures that differ in no more bits are of one scene. Frames that follow one another differ in at most 28 of 256 bits here,
# scenes of the same junction in at least 56.
SAME_SCENE = 55
# One picture of each scene of the junction that is held out: a night, a day, and three (of ten) scenes of plates.
HELD_OUT = (
    'vn-intersection/frame-01495', 'vn-intersection/frame-03330', 'vn-plate-boxes/frame_2783',
    'vn-plate-boxes/frame_2834', 'vn-plate-boxes/frame_6550', 'vn-plate-boxes/frame_9911',
)
# The camera of cctv-bikes looks at the same street all the time: the last quarter of its time is held out, after a gap.
CCTV_TRAIN_UNTIL, CCTV_TEST_FROM = 29300, 29500
LIGHTS_TEST_EVERY = 5
# Of these sets every second picture trains: the others show nearly the same.
THINNED = {'cctv-bikes', 'lights-indonesia'}


@dataclass
class Picture:
    set: str
    file: str
    split: str = 'train'
    group: int = -1
    size: tuple = (0, 0)
    # rows: class, x1, y1, x2, y2 in pixels
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), np.float32))
    # x1, y1, x2, y2: nothing is learned about background here
    ignored: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    labelled: tuple = ()
    # the first so many boxes are the labeller's or were judged by eye, the others are a network's; the first so many regions were judged
    truths: int = 0
    doubts: int = 0

    @property
    def key(self):
        return f'{self.set}/{Path(self.file).name}'


def read_labels(path, classes, width, height):
    """Boxes and polygons of a YOLO file as rows class, x1, y1, x2, y2 in pixels."""
    rows = []
    if path.exists():
        for line in path.read_text().splitlines():
            index, *values = (float(word) for word in line.split()) if line.strip() else (-1,)
            if int(index) not in classes:
                continue
            if len(values) in (4, 5):
                cx, cy, w, h = values[:4]
                box = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
            else:
                box = (min(values[0::2]), min(values[1::2]), max(values[0::2]), max(values[1::2]))
            x1, y1, x2, y2 = np.clip(box, 0, 1) * (width, height, width, height)
            if x2 - x1 > 1 and y2 - y1 > 1:
                rows.append((classes[int(index)], x1, y1, x2, y2))
    return np.array(rows, np.float32).reshape(-1, 5)


def unpack_clips(media, folder):
    """Writes the pictures of CLIPS as PNG to `folder`/NAME/images, unless they are there. Needs ffmpeg."""
    for name, every in CLIPS.items():
        images = Path(folder) / name / 'images'
        if images.exists():
            continue
        partial = images.with_suffix('.new')
        partial.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', '-i', str(Path(media) / f'{name}.mp4'), '-vf', f'select=not(mod(n\\,{every}))',
             '-vsync', '0', str(partial / '%05d.png')], check=True,
        )
        partial.rename(images)


def load_sets(root, clips):
    """All pictures of CLASSES with their truth, groups and splits, in a fixed order; those of CLIPS lie in the folder `clips`."""
    pictures = []
    for name, classes in CLASSES.items():
        for file in sorted((Path(clips if name in CLIPS else root) / name / 'images').iterdir()):
            with Image.open(file) as opened:
                width, height = opened.size
            boxes = read_labels(Path(root) / name / 'labels' / f'{file.stem}.txt', classes, width, height)
            labelled = tuple(sorted(set(classes.values())))
            pictures.append(Picture(name, str(file), size=(width, height), boxes=boxes, labelled=labelled, truths=len(boxes)))
    distances = compute_distances(np.array([compute_hash(picture.file) for picture in pictures]))
    for picture, group in zip(pictures, group_by_distance(distances, SAME_SCENE)):
        picture.group = int(group)
    _split(pictures)
    _mask_forgotten_lamps(pictures)
    return pictures, _check_splits(pictures, distances)


def prepare_sets(options, work):
    """All pictures of the sets and of the clips, which are unpacked into `work`; says how close training and test come."""
    unpack_clips(options.media, work / 'clips')
    pictures, closest = load_sets(options.data, work / 'clips')
    print('closest pictures of training and test, bits of 256:', closest, flush=True)
    return pictures


def _split(pictures):
    held_out = {picture.group for picture in pictures if picture.key.startswith(HELD_OUT)}
    for picture in pictures:
        if picture.set == 'cctv-bikes':
            frame = int(re.match(r'\d+', Path(picture.file).name).group())
            picture.split = (
                'train' if frame < CCTV_TRAIN_UNTIL else 'test' if frame >= CCTV_TEST_FROM else 'unused'
            )
        elif picture.set.startswith('lights-'):
            picture.split = 'test' if picture.group % LIGHTS_TEST_EVERY == 0 else 'train'
        elif not CLASSES[picture.set]:
            picture.split = 'train'
        elif picture.group in held_out:
            picture.split = 'test'
    for name in THINNED:
        for picture in [p for p in pictures if p.set == name and p.split == 'train'][1::2]:
            picture.split = 'unused'


def _mask_forgotten_lamps(pictures):
    """
    The junction's lamps hang in every frame, yet the labeller left them out of its night scenes: where less than a tenth of a
    scene's frames have one, lamps count as not labelled.
    """
    frames = [picture for picture in pictures if picture.set == 'vn-intersection']
    for group in {picture.group for picture in frames}:
        scene = [picture for picture in frames if picture.group == group]
        if sum((picture.boxes[:, 0] == LIGHT).any() for picture in scene) < 0.1 * len(scene):
            for picture in scene:
                picture.labelled = tuple(kind for kind in picture.labelled if kind != LIGHT)


def _check_splits(pictures, distances):
    """Smallest distance between training and test for each pair of sets; raises where a group is cut."""
    closest = {}
    for name in CLASSES:
        train = [i for i, picture in enumerate(pictures) if picture.split == 'train']
        test = [i for i, picture in enumerate(pictures) if picture.split == 'test' and picture.set == name]
        if test:
            closest[name] = int(distances[np.ix_(train, test)].min())
            if name != 'cctv-bikes' and closest[name] <= SAME_SCENE:
                raise ValueError(f'{name}: a scene lies in training and test ({closest[name]} bits apart)')
    return closest
