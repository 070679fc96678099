"""Near-duplicate search: difference hashes over every picture of every set, joined into groups that no split may cut."""
import numpy as np
from PIL import Image

SIDE = 16


def compute_hash(path):
    """256-bit difference hash (each pixel against its right neighbour, 17x16 grey) as a bool array."""
    with Image.open(path) as picture:
        grey = np.asarray(picture.convert('L').resize((SIDE + 1, SIDE), Image.BOX), dtype=np.int16)
    return (grey[:, 1:] > grey[:, :-1]).reshape(-1)


def compute_distances(hashes):
    """Hamming distance of every pair, `[n, n]`."""
    bits = hashes.astype(np.float32)
    ones = bits.sum(1)
    return (ones[:, None] + ones[None, :] - 2 * bits @ bits.T).astype(np.int32)


def group_by_distance(distances, limit):
    """Connected components of the pictures that differ in at most `limit` bits; one number a picture."""
    group = np.full(len(distances), -1)
    for start in range(len(distances)):
        if group[start] >= 0:
            continue
        number = group.max() + 1
        group[start] = number
        stack = [start]
        while stack:
            near = np.flatnonzero((distances[stack.pop()] <= limit) & (group < 0))
            group[near] = number
            stack.extend(near.tolist())
    return group
