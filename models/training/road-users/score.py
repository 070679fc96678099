"""Average precision on pictures with truth, as COCO computes it (101 recalls); and the table before and after."""
import numpy as np

from detection import NAMES, OnnxNetwork, compute_iou, join_riders, read_picture

IOUS = np.arange(0.5, 0.96, 0.05)
# Of the plate, recall at this precision is asked as well.
WANTED_PRECISION = 0.95


def compute_average_precision(pictures, min_iou):
    """`pictures`: (found `[n, 5]` xyxy and confidence, truth `[m, 4]`). Returns AP and the curve (confidence, precision, recall)."""
    hits, confidences, truths = [], [], 0
    for found, truth in pictures:
        truths += len(truth)
        free = np.ones(len(truth), bool)
        overlap = compute_iou(found[:, :4], truth)
        for index in np.argsort(-found[:, 4], kind='stable'):
            row = np.where(free, overlap[index], 0) if len(truth) else np.zeros(1)
            hit = len(truth) > 0 and row.max() >= min_iou
            if hit:
                free[row.argmax()] = False
            hits.append(hit)
            confidences.append(found[index, 4])
    if truths == 0:
        return None, None
    order = np.argsort(-np.array(confidences), kind='stable')
    right = np.cumsum(np.array(hits, float)[order]) if len(order) else np.zeros(0)
    precision = right / np.arange(1, len(order) + 1)
    recall = right / truths
    curve = (np.array(confidences)[order] if len(order) else np.zeros(0), precision, recall)
    smooth = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-12)
    return float(np.where(at < len(smooth), smooth[np.minimum(at, len(smooth) - 1)] if len(smooth) else 0, 0).mean()), curve


def measure(model, pictures, classes, scale=1.0):
    """Per class name: objects, AP50, AP50:95 and, at IoU 0.5, the best recall at WANTED_PRECISION. Riders are joined where the network does not do it."""
    seen = []
    with OnnxNetwork(model) as network:
        for picture in pictures:
            found = network.detect(read_picture(picture.file), scale=scale)
            seen.append((join_riders(found, network.has_riders), picture))
    result = {}
    for kind in classes:
        pairs = [
            (found[found[:, 5] == kind][:, :5], picture.boxes[picture.boxes[:, 0] == kind, 1:])
            for found, picture in seen
            if kind in picture.labelled
        ]
        values = [compute_average_precision(pairs, iou)[0] for iou in IOUS]
        if not pairs or values[0] is None:
            continue
        _, precision, recall = compute_average_precision(pairs, 0.5)[1]
        enough = recall[precision >= WANTED_PRECISION]
        result[NAMES[kind]] = {
            'objects': int(sum(len(truth) for _, truth in pairs)),
            'ap50': values[0],
            'ap50to95': float(np.mean(values)),
            'recallAtPrecision95': float(enough.max()) if len(enough) else 0.0,
        }
    return result


def measure_sets(model, pictures):
    """The held-out part of every set, classes that the set labels."""
    result = {}
    for name in dict.fromkeys(picture.set for picture in pictures):
        held_out = [picture for picture in pictures if picture.set == name and picture.split == 'test']
        if held_out:
            result[name] = measure(model, held_out, sorted({kind for picture in held_out for kind in picture.labelled}))
    return result


def format_table(before, after):
    lines = ['set                class          objects  AP50 before  after   AP50:95 before  after   recall at precision 0.95']
    for name, classes in after.items():
        for kind, value in classes.items():
            old = before.get(name, {}).get(kind, {'ap50': 0.0, 'ap50to95': 0.0})
            lines.append(
                f'{name:19}{kind:15}{value["objects"]:<9}{old["ap50"]:<13.3f}{value["ap50"]:<8.3f}'
                f'{old["ap50to95"]:<16.3f}{value["ap50to95"]:<8.3f}{value["recallAtPrecision95"]:.3f}'
            )
    return '\n'.join(lines)
