"""Trains the finder of plates: `python3 train.py --data DATASETS --media CLIPS --start yolox-nano-dynamic.onnx --work DIR --out FILE.onnx`.

Pictures, loop, loss and network are those of ../road-users; here there is one class, and crops are as close as a plate is looked for.
A run that was stopped goes on where it was when the same command is given again. See README.md.
"""
import json
import os
import pickle
import sys
from pathlib import Path

# Threads of OpenBLAS spin while they wait. Before numpy is loaded.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
sys.path.insert(0, str(Path(__file__).parents[1] / 'road-users'))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from detection import BICYCLE, BUS, CAR, MOTORBIKE, PLATE, TRUCK, OnnxNetwork, join_riders, read_picture  # noqa: E402
from drawn_plates import draw_stock, put_lone_plates, put_plates  # noqa: E402
from judged import NOTHING, add_judged, add_nothing, read_judged  # noqa: E402
from loop import balance, build_options, load_state, train, write_whole  # noqa: E402
from network import export_onnx, load_onnx, transfer_classes  # noqa: E402
from objective import Sample  # noqa: E402
from sampling import sample_crop  # noqa: E402
from sets import prepare_sets  # noqa: E402

# The set whose plates are labelled.
LABELLED = 'vn-plate-boxes'
# Share of the crops by set. Nobody labelled the plates of the others: there they are drawn, and certainly none is only what is on no vehicle and
# what was judged by eye.
SHARES = {LABELLED: 0.46, 'vn-intersection': 0.2, 'helmet-indian-street': 0.13, 'lights-korea': 0.1, 'lights-indonesia': 0.07, 'car-detection': 0.04}
# What earlier finders found and somebody judged by eye: in LABELLED nearly as many plates again as the labeller saw.
JUDGED = 'plate-candidates.json'
# Network pixels per picture pixel: of the junction's pictures, and of those of other places, whose vehicles are larger.
SCALE, OTHER_SCALE = (0.9, 3.4), (0.4, 2.4)
STRETCH = (-0.15, 0.2)
DRAWN_SHARE = 0.6
# Part of the crops with plates that are on no vehicle.
LONE_SHARE = 0.2
VEHICLES = (BICYCLE, CAR, MOTORBIKE, BUS, TRUCK)
# The original sees a vehicle at this confidence: a drawn plate may go there. From the lower one on, a plate of its own may be there.
SURE, POSSIBLE = 0.4, 0.1
# Around a vehicle, part of its sides within which its plate is.
AROUND = 0.05
# The pictures of the junction are looked at closer: it finds more of the small.
JUNCTION_SCALE = 1.5


def main():
    parser = build_options(__doc__, 3000)
    parser.add_argument('--from', dest='earlier', help='ONNX file of an earlier training to begin with, in place of the original')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    training = prepare(options, work)
    torch.manual_seed(options.seed)
    network = load_onnx(options.earlier, classes=1) if options.earlier else transfer_classes(load_onnx(options.start), (None,))
    state = load_state(network, work)
    train(state, make_batches(training, options), options, work, options.steps)
    export_onnx(state['average'], options.out)
    print(json.dumps({'steps': state['step'], 'crops': state['step'] * options.batch}))


def prepare(options, work):
    """The pictures to train on; those without labelled plates with their vehicles and regions in which a plate may be."""
    index = work / 'index.pickle'
    if not index.exists():
        judged = read_judged(JUDGED)
        training = [picture for picture in prepare_sets(options, work) if picture.split == 'train' and picture.set in SHARES]
        add_vehicles([picture for picture in training if picture.set != LABELLED], options.start)
        add_judged(training, judged, PLATE)
        add_nothing(training, judged)
        write_whole(index, pickle.dumps(training))
    return pickle.loads(index.read_bytes())


def add_vehicles(pictures, model):
    with OnnxNetwork(model) as network:
        for picture in pictures:
            scale = JUNCTION_SCALE if picture.set == 'vn-intersection' else 1.0
            found = join_riders(network.detect(read_picture(picture.file), POSSIBLE, scale), network.has_riders)
            found = found[np.isin(found[:, 5], VEHICLES)]
            labelled = picture.boxes[np.isin(picture.boxes[:, 0], VEHICLES)]
            sure = found[found[:, 4] >= SURE]
            bodies = np.concatenate((labelled[:, 1:], found[:, :4]))
            sides = np.tile(bodies[:, 2:] - bodies[:, :2], 2)
            picture.ignored = (bodies + sides * AROUND * np.array((-1, -1, 1, 1))).astype(np.float32)
            # what is labelled is not found again
            picture.boxes = labelled if len(labelled) else np.concatenate((sure[:, 5:6], sure[:, :4]), 1).astype(np.float32)
            picture.labelled = (PLATE,)


def make_batches(training, options):
    stock = draw_stock(options.seed)
    by_set = {name: [picture for picture in training if picture.set == name] for name in SHARES}
    weights = {name: balance([picture.group for picture in list_]) for name, list_ in by_set.items()}

    def draw_batch(step):
        random = np.random.default_rng((options.seed, step))
        crops = [draw(by_set, weights, stock, options.side, random) for _ in range(options.batch)]
        images = torch.from_numpy(np.stack([image for image, _ in crops]))
        samples = [sample for _, sample in crops]
        return images, samples, [None] * len(crops)

    return draw_batch


def draw(by_set, weights, stock, side, random):
    """A crop and its truth, in which plates are class 0."""
    name = random.choice(list(SHARES), p=list(SHARES.values()))
    picture = by_set[name][random.choice(len(by_set[name]), p=weights[name])]
    share = 0.0 if name == LABELLED else DRAWN_SHARE
    scale = SCALE if name.startswith('vn-') else OTHER_SCALE

    def change(window, boxes):
        return put_lone_plates(window, put_plates(window, boxes, stock, random, share), stock, random, LONE_SHARE)

    image, _, boxes, ignored = sample_crop(picture, side, random, (scale, STRETCH), change)
    plates = boxes[boxes[:, 0] == PLATE]
    plates[:, 0] = 0
    none = boxes[boxes[:, 0] == NOTHING, 1:]
    # one class, which is labelled everywhere but in the regions without loss
    return image, Sample(torch.from_numpy(plates), torch.from_numpy(ignored), labelled=(0,), certain=torch.from_numpy(none))


if __name__ == '__main__':
    main()
