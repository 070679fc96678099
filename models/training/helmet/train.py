"""Trains the helmet network: `python3 train.py --data DIR --start yolox.onnx --out FILE.onnx [--work DIR] [--other DIR]`. See README.md.

The backbone stays as it is, so its features of all heads and their views are computed once (kept in the work folder); what is
trained on them takes seconds. The same seed gives the same weights on one machine.
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from backbone import Backbone, HelmetHead, HelmetNetwork
from head_data import BARE, SIZE, Head, other_view, plain_view, read_heads

VIEWS = 10
"""Other views of each head; of the rarer class more, until both have as many."""
EPOCHS = 14
FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="YOLO folder of heads: 0 helmet, 1 bare")
    parser.add_argument("--start", required=True, help="YOLOX ONNX file whose first stages are used")
    parser.add_argument("--out", required=True, help="ONNX file")
    parser.add_argument("--other", help="YOLO folder that is never learnt from: only judged")
    parser.add_argument("--work", default=".", help="folder for features and the report")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    backbone = Backbone(options.start).eval()
    heads = read_heads(options.data)
    plain, views, owners = compute_features(heads, backbone, options)
    report = {
        "heads": len(heads),
        "bare": sum(head.label == BARE for head in heads),
        "groups": len({head.group for head in heads}),
        "cross-validation": cross_validate(heads, plain, views, owners, options.seed),
    }
    chosen = train(views, labels_of(heads, owners), options.seed)
    if options.other:
        others = read_heads(options.other)
        report["other"] = judge(others, score(chosen, look(backbone, [plain_view(head) for head in others])))
    text = json.dumps(report, indent=1)
    print(text)
    with open(os.path.join(options.work, "helmet-report.json"), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    export(backbone, chosen, options.out)


def compute_features(
    heads: list[Head], backbone: Backbone, options: argparse.Namespace
) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Features of each head as it is, of its other views, and whose view each is."""
    kept = os.path.join(options.work, f"helmet-features-{options.seed}.pt")
    if os.path.exists(kept):
        return torch.load(kept)
    random = np.random.default_rng(options.seed)
    bare = sum(head.label == BARE for head in heads)
    larger = max(bare, len(heads) - bare)
    pictures, owners = [], []
    for index, head in enumerate(heads):
        of_class = bare if head.label == BARE else len(heads) - bare
        for _ in range(round(VIEWS * larger / of_class)):
            pictures.append(other_view(head, random))
            owners.append(index)
    parts = (look(backbone, [plain_view(head) for head in heads]), look(backbone, pictures), np.array(owners))
    torch.save(parts, kept + ".part")
    os.replace(kept + ".part", kept)
    return parts


def look(backbone: Backbone, pictures: list[np.ndarray]) -> torch.Tensor:
    parts = []
    with torch.no_grad():
        for begin in range(0, len(pictures), 64):
            parts.append(backbone(torch.from_numpy(np.stack(pictures[begin : begin + 64]))).half())
    return torch.cat(parts)


def labels_of(heads: list[Head], owners: np.ndarray) -> torch.Tensor:
    return torch.tensor([heads[owner].label for owner in owners])


def train(views: torch.Tensor, labels: torch.Tensor, seed: int) -> HelmetHead:
    torch.manual_seed(seed)
    head = HelmetHead()
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        head.train()
        for chosen in torch.randperm(len(labels)).split(128):
            logits = head(views[chosen].float())
            loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return head.eval()


def score(head: HelmetHead, features: torch.Tensor) -> np.ndarray:
    """How sure it is that each head is bare, 0-1."""
    with torch.no_grad():
        return torch.softmax(head(features.float()), 1)[:, BARE].numpy()


def cross_validate(heads: list[Head], plain: torch.Tensor, views: torch.Tensor, owners: np.ndarray, seed: int) -> dict:
    """Each head is judged by a network that saw neither it nor another head of its photo, or of one nearly the same."""
    groups = sorted({head.group for head in heads})
    shuffled = np.random.default_rng(seed).permutation(groups)
    fold_of = {group: index % FOLDS for index, group in enumerate(shuffled)}
    folds = np.array([fold_of[head.group] for head in heads])
    scores = np.zeros(len(heads))
    for fold in range(FOLDS):
        learnt = torch.from_numpy(np.nonzero(folds[owners] != fold)[0])
        network = train(views[learnt], labels_of(heads, owners[learnt.numpy()]), seed)
        held = np.nonzero(folds == fold)[0]
        scores[held] = score(network, plain[torch.from_numpy(held)])
    return judge(heads, scores)


def judge(heads: list[Head], scores: np.ndarray) -> dict:
    """Counts for bare heads at confidences, in all and by size."""
    truth = np.array([head.label == BARE for head in heads])
    sides = np.array([head.side for head in heads])
    report = {}
    for name, low, high in (("all", 0, 1e9), ("<16", 0, 16), ("16-32", 16, 32), (">=32", 32, 1e9)):
        of = (sides >= low) & (sides < high)
        rows = {}
        for threshold in (0.5, 0.7, 0.8, 0.9, 0.95):
            said = scores[of] >= threshold
            rows[str(threshold)] = {
                "right": int((said & truth[of]).sum()),
                "wrong": int((said & ~truth[of]).sum()),
                "missed": int((~said & truth[of]).sum()),
            }
        report[name] = rows
    return report


class ShippedNetwork(nn.Module):
    """Probabilities of helmet and bare."""

    def __init__(self, network: HelmetNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(pixels), 1)


def export(backbone: Backbone, head: HelmetHead, path: str) -> None:
    network = HelmetNetwork(backbone)
    network.head = head
    torch.onnx.export(
        ShippedNetwork(network).eval(),
        torch.zeros(1, 3, SIZE, SIZE),
        path,
        input_names=["pixels"],
        output_names=["scores"],
        opset_version=13,
    )
    print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
