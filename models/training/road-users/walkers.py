"""People on foot, cut out of a clip with a still background: the junction's sets label none, and whoever walks there is easily taken for a bike."""
import numpy as np
from PIL import Image, ImageFilter

from detection import PERSON, is_overlapping
from drawn_plates import paste

# The clip in which people walk one by one in front of the same wall.
CLIP = 'one-by-one-person-detection'
# A pixel is the person's where it differs so much (of 255) from the clip's median; a cut-out is kept where this share of its box is.
DIFFERENCE, FILLED = 24, (0.3, 0.9)
# Height of those who walk through a crop, px, and how many do at most.
HEIGHT_PX, MOST = (16, 90), 4
TRIES = 12


def cut_walkers(pictures):
    """RGBA cut-outs of everybody who was found alone in a picture of CLIP, in the order of its pictures."""
    frames = [picture for picture in pictures if picture.set == CLIP]
    images = [np.asarray(Image.open(picture.file).convert('RGB')) for picture in frames]
    background = np.median(np.stack(images), 0)
    stock = []
    for picture, image in zip(frames, images):
        persons = picture.boxes[picture.boxes[:, 0] == PERSON, 1:]
        if len(persons) != 1:
            continue
        x1, y1, x2, y2 = (int(round(value)) for value in persons[0])
        mask = Image.fromarray((np.abs(image - background).max(-1) > DIFFERENCE).astype(np.uint8) * 255).crop((x1, y1, x2, y2))
        # specks go, and holes close
        mask = mask.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(3))
        if not FILLED[0] < np.asarray(mask).mean() / 255 < FILLED[1]:
            continue
        walker = Image.fromarray(image).crop((x1, y1, x2, y2))
        walker.putalpha(mask.filter(ImageFilter.GaussianBlur(1)))
        box = mask.getbbox()
        stock.append(walker.crop(box))
    return stock


def put_walkers(window, boxes, stock, random, share):
    """
    Lets one to MOST of `stock` walk through a crop with probability `share`, in place, where nothing of `boxes` `[n, 5]` is. `window`: RGB picture.
    Returns the boxes with theirs.
    """
    if random.random() >= share:
        return boxes
    # one crop shows one distance
    height = np.exp(random.uniform(*np.log(HEIGHT_PX)))
    wanted = random.integers(1, MOST + 1)
    for _ in range(TRIES):
        walker = stock[random.integers(len(stock))]
        tall = int(height * random.uniform(0.85, 1.15))
        wide = max(4, int(tall * walker.width / walker.height * random.uniform(0.85, 1.15)))
        if tall >= window.height or wide >= window.width:
            continue
        left, upper = int(random.integers(window.width - wide)), int(random.integers(window.height - tall))
        box = (left, upper, left + wide, upper + tall)
        if is_overlapping(np.array([box], np.float32), boxes[:, 1:]).any():
            continue
        if random.random() < 0.5:
            walker = walker.transpose(Image.FLIP_LEFT_RIGHT)
        paste(window, walker, box, random)
        boxes = np.concatenate((boxes, np.array([(PERSON, *box)], np.float32)))
        wanted -= 1
        if wanted == 0:
            break
    return boxes
