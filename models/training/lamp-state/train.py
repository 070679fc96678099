"""Trains the lamp network: `python3 train.py --data DIR --out FILE.onnx [--work DIR]`. See README.md.

The same seed gives the same weights on one machine. A run that was cut off goes on at its last finished epoch.
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import torch
from torch.nn import functional

import lamp_augmentation
from lamp_data import HEIGHT, MARGIN, NO_SHAPE, SOURCES, STATES, WIDTH, Lamp, put_out, read_sources
from lamp_drawing import draw_heads
from lamp_network import LampNetwork, ShippedNetwork

BATCH = 128
STATE_SHARES = (0.22, 0.30, 0.22, 0.26)
"""off, red, amber, green of every batch."""
DRAWN_SHARE = 0.3
"""Of the lit pictures of a batch; of the unlit ones half are drawn."""
DRAWN = 2000
HELD_OUT = 0.15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with the three sources")
    parser.add_argument("--out", help="ONNX file; none in a cross-source run")
    parser.add_argument("--work", default=".", help="folder for the checkpoint and the report")
    parser.add_argument("--leave-out", choices=SOURCES, help="trains without this source and is judged on it")
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    lamps = read_sources(options.data)
    judged, learnt = split(lamps, options.leave_out, options.seed)
    print(f"{len(lamps)} lamps in {len({lamp.group for lamp in lamps})} groups: {len(learnt)} to learn, {len(judged)} to judge by")
    network = train(learnt, judged, options)
    report = judge(network, judged)
    print(json.dumps(report, indent=1))
    if options.out:
        export(network, options.out)


def split(lamps: list[Lamp], leave_out: str | None, seed: int) -> tuple[list[Lamp], list[Lamp]]:
    """Judged, learnt. No group, and with `leave_out` no source, is in both."""
    if leave_out is not None:
        return [lamp for lamp in lamps if lamp.source == leave_out], [lamp for lamp in lamps if lamp.source != leave_out]
    groups = sorted({lamp.group for lamp in lamps})
    chosen = np.random.default_rng(seed).permutation(len(groups))[: int(HELD_OUT * len(groups))]
    held = {groups[index] for index in chosen}
    return [lamp for lamp in lamps if lamp.group in held], [lamp for lamp in lamps if lamp.group not in held]


def build_pools(lamps: list[Lamp], seed: int) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """By state: sets of pictures with their forms, real ones by source first, the drawn ones last."""
    random = np.random.default_rng(seed)
    pools: list[list[tuple[np.ndarray, np.ndarray]]] = []
    pixels, states, shapes = draw_heads(DRAWN, seed)
    for state in range(len(STATES)):
        sets = []
        for source in SOURCES:
            if state == 0:
                dark = [put_out(lamp, random) for lamp in lamps if lamp.source == source and source != "lights-korea"]
                real = [(picture, NO_SHAPE) for picture in dark if picture is not None]
            else:
                real = [(lamp.pixels, lamp.shape) for lamp in lamps if lamp.source == source and lamp.state == state]
            if real:
                sets.append((np.stack([picture for picture, _ in real]), np.array([shape for _, shape in real])))
        sets.append((pixels[states == state], shapes[states == state]))
        pools.append(sets)
    return pools


def draw_batch(
    pools: list[list[tuple[np.ndarray, np.ndarray]]], random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chosen = random.choice(len(STATES), BATCH, p=STATE_SHARES)
    pictures, shapes = [], []
    for state in chosen:
        sets = pools[state]
        drawn = random.random() < (0.5 if state == 0 else DRAWN_SHARE) or len(sets) == 1
        # of the real sets each counts by the root of its size, so that the largest source does not drown the others
        weights = np.sqrt([len(one[0]) for one in sets[:-1]] or [1])
        index = len(sets) - 1 if drawn else int(random.choice(len(sets) - 1, p=weights / weights.sum()))
        at = int(random.integers(0, len(sets[index][0])))
        pictures.append(sets[index][0][at])
        shapes.append(sets[index][1][at])
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    return batch, torch.from_numpy(chosen), torch.tensor(shapes)


def train(learnt: list[Lamp], judged: list[Lamp], options: argparse.Namespace) -> LampNetwork:
    network, average = LampNetwork(), LampNetwork()
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    steps = 16
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=options.epochs * steps)
    checkpoint = os.path.join(options.work, f"lamp-state-{options.leave_out or 'all'}-{options.seed}.pt")
    begin = 0
    if os.path.exists(checkpoint):
        kept = torch.load(checkpoint)
        begin = kept["epoch"]
        for part, name in ((network, "network"), (average, "average"), (optimizer, "optimizer"), (schedule, "schedule")):
            part.load_state_dict(kept[name])
    pools = build_pools(learnt, options.seed) if begin < options.epochs else []
    for epoch in range(begin, options.epochs):
        random = np.random.default_rng([options.seed, epoch])
        torch_random = torch.Generator().manual_seed(options.seed * 100_003 + epoch)
        torch.manual_seed(options.seed * 100_003 + epoch)
        network.train()
        total = 0.0
        for _ in range(steps):
            pixels, states, shapes = draw_batch(pools, random)
            pixels, shapes = lamp_augmentation.augment(pixels, states, shapes, torch_random)
            state_logits, shape_logits = network(pixels)
            loss = functional.cross_entropy(state_logits, states, label_smoothing=0.02)
            known = shapes != NO_SHAPE
            if known.any():
                loss = loss + 0.3 * functional.cross_entropy(shape_logits[known], shapes[known])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            follow(average, network, min(0.98, (epoch * steps + 1) / (epoch * steps + 10)))
            total += float(loss)
        report = judge(average, judged) if epoch % 5 == 4 else {}
        print(f"epoch {epoch + 1}: loss {total / steps:.3f} {report.get('accuracy', '')}", flush=True)
        parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
        torch.save({"epoch": epoch + 1, **{name: part.state_dict() for name, part in parts.items()}}, checkpoint + ".part")
        os.replace(checkpoint + ".part", checkpoint)
    return average


def follow(average: LampNetwork, network: LampNetwork, inertia: float) -> None:
    with torch.no_grad():
        for kept, now in zip(average.state_dict().values(), network.state_dict().values()):
            if kept.dtype.is_floating_point:
                kept.mul_(inertia).add_(now, alpha=1 - inertia)
            else:
                kept.copy_(now)


def judge(network: LampNetwork, lamps: list[Lamp]) -> dict:
    """Confusion by source: rows the truth, columns what was read, in the order of STATES."""
    network.eval()
    pixels = np.stack([lamp.pixels[MARGIN:-MARGIN, MARGIN:-MARGIN] for lamp in lamps])
    with torch.no_grad():
        state, shape = network(torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).float())
    read, form = state.argmax(1).numpy(), shape.argmax(1).numpy()
    truth = np.array([lamp.state for lamp in lamps])
    report: dict = {"accuracy": round(float((read == truth).mean()), 4)}
    for source in SOURCES:
        of = np.array([lamp.source == source for lamp in lamps])
        table = np.zeros((len(STATES), len(STATES)), int)
        np.add.at(table, (truth[of], read[of]), 1)
        if of.any():
            report[source] = {name: row.tolist() for name, row in zip(STATES, table) if row.sum()}
    known = np.array([lamp.shape != NO_SHAPE for lamp in lamps])
    if known.any():
        shapes = np.array([lamp.shape for lamp in lamps])
        arrow = (shapes[known] > 0) == (form[known] > 0)
        report["arrow or disc"] = f"{int(arrow.sum())}/{int(known.sum())}"
    return report


def export(network: LampNetwork, path: str) -> None:
    network.eval()
    torch.onnx.export(
        ShippedNetwork(network).eval(),
        torch.zeros(1, 3, HEIGHT, WIDTH),
        path,
        input_names=["pixels"],
        output_names=["states"],
        opset_version=13,
    )
    print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
