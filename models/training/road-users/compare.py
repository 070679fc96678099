"""
Networks on street video that was never trained on: `python3 compare.py --data DATASETS --media CLIPS --work DIR A.onnx B.onnx ...`.

The clips that are annotated by eye (models/annotations/*.tracks.json; hidden and ignored parts count neither way), hanoi-1615-riders
(a partial truth), and a clip in which everybody walks: how often a person that the first network is sure of is called a two-wheeler.
"""
import argparse
import json
import subprocess
from pathlib import Path

import numpy as np

from detection import BICYCLE, GROUPS, MOTORBIKE, NAMES, PERSON, OnnxNetwork, compute_iou, join_riders, read_picture
from score import compute_average_precision
from sets import Picture, read_labels

ANNOTATIONS = Path(__file__).parents[2] / 'annotations'
# Every so manieth frame is looked at.
CLIPS = {'intersection-borislavy': 20, 'street-parked-ckuhn': 20, 'motorway-fog-autostrade': 15}
WALKERS, WALKERS_EVERY = 'vtest', 40
SURE = 0.45


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--data', required=True, help='folder of the sets')
    parser.add_argument('--media', required=True, help='folder of the clips')
    parser.add_argument('--walkers', help='vtest.avi of the OpenCV samples; left out without it')
    parser.add_argument('--work', required=True, help='folder for the frames')
    parser.add_argument('networks', nargs='+', help='ONNX files')
    options = parser.parse_args()
    pictures = [picture for name, every in CLIPS.items() for picture in load_clip(options, name, every)]
    pictures += load_hanoi(Path(options.data) / 'hanoi-1615-riders')
    rows = {}
    for network in options.networks:
        for key, (objects, value) in measure(network, pictures).items():
            rows.setdefault((*key, objects), []).append(f'{value:.3f}')
    if options.walkers:
        frames = [read_picture(file) for file in unpack(options.walkers, WALKERS_EVERY, Path(options.work) / WALKERS)]
        counts = count_mistaken(options.networks, frames)
        rows[WALKERS, 'persons called two-wheelers', counts[0][0]] = [str(count) for _, count in counts]
    for (name, kind, objects), values in rows.items():
        print(f'{name:26}{kind:30}{objects:<7}' + ''.join(f'{value:10}' for value in values))


def unpack(clip, every, folder):
    if not folder.exists():
        partial = folder.with_suffix('.new')
        partial.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', '-i', str(clip), '-vf', f'select=not(mod(n\\,{every}))',
             '-vsync', '0', '-q:v', '2', str(partial / '%05d.jpg')], check=True,
        )
        partial.rename(folder)
    return sorted(folder.iterdir())


def load_clip(options, name, every):
    """The frames that are annotated, each with what can be seen in it; what is hidden or to be ignored is in `ignored`."""
    truth = json.loads((ANNOTATIONS / f'{name}.tracks.json').read_text())
    for number, file in enumerate(unpack(Path(options.media) / truth['video'], every, Path(options.work) / name)):
        frame = number * every
        if frame > truth['frames'][1]:
            return
        seen, hidden = [], [entry['box'] for entry in truth['ignored']]
        for track in truth['tracks']:
            times = [key[0] for key in track['keyframes']]
            if not times[0] <= frame <= times[-1]:
                continue
            box = [np.interp(frame, times, [key[side] for key in track['keyframes']]) for side in range(1, 5)]
            if any(low <= frame <= high for low, high in track.get('hidden') or []):
                hidden.append(box)
            else:
                seen.append((NAMES.index(track['label']), *box))
        yield Picture(
            name, str(file), split='test', boxes=np.array(seen, np.float32).reshape(-1, 5),
            ignored=np.array(hidden, np.float32).reshape(-1, 4), labelled=tuple(range(6)),
        )


def load_hanoi(folder):
    for file in sorted((folder / 'images').iterdir()):
        height, width, _ = read_picture(file).shape
        boxes = read_labels(folder / 'labels' / f'{file.stem}.txt', {0: MOTORBIKE}, width, height)
        yield Picture(folder.name, str(file), boxes=boxes, labelled=(MOTORBIKE,))


def measure(model, pictures):
    """(set, class) -> objects, AP50."""
    seen = []
    with OnnxNetwork(model) as network:
        for picture in pictures:
            found = join_riders(network.detect(read_picture(picture.file)), network.has_riders)
            middle = (found[:, :2] + found[:, 2:4]) / 2
            low, high = picture.ignored[None, :, :2], picture.ignored[None, :, 2:]
            inside = ((middle[:, None] > low) & (middle[:, None] < high)).all(-1).any(1)
            seen.append((found[~inside], picture))
    result = {}
    for name in dict.fromkeys(picture.set for picture in pictures):
        for kind in range(6):
            pairs = [
                (found[found[:, 5] == kind][:, :5], picture.boxes[picture.boxes[:, 0] == kind, 1:])
                for found, picture in seen
                if picture.set == name and kind in picture.labelled
            ]
            objects = sum(len(truth) for _, truth in pairs)
            if objects > 0:
                result[name, NAMES[kind]] = objects, compute_average_precision(pairs, 0.5)[0]
    return result


def count_mistaken(models, frames):
    """Per network: persons that the first network is sure of, and how many of them it is sure to be two-wheelers."""
    result, persons = [], None
    for model in models:
        with OnnxNetwork(model) as network:
            seen = [network.detect(frame) for frame in frames]
        persons = persons or [found[(found[:, 5] == PERSON) & (found[:, 4] >= SURE), :4] for found in seen]
        mistaken = 0
        for found, people in zip(seen, persons):
            bikes = found[(GROUPS[found[:, 5].astype(int)] == GROUPS[BICYCLE]) & (found[:, 4] >= SURE), :4]
            mistaken += int((compute_iou(people, bikes) >= 0.5).any(1).sum())
        result.append((sum(len(people) for people in persons), mistaken))
    return result


if __name__ == '__main__':
    main()
