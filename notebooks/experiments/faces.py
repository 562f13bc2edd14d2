"""Compare face detectors on synthetic scenes, with five seeds."""

from types import SimpleNamespace

CHAPTER = "16_find_faces"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.04}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return precision, recall and AP: by detector, by seed."""
    stages = ["P-Net", "P-Net, R-Net", "P-Net, R-Net, O-Net"]
    names = [*stages, "own network", "own, with mining"]
    results = {name: {} for name in names}

    def record(name: str, found: list, scenes: list) -> None:
        total = sum(len(truth) for _, truth in scenes)
        measured = code.summarize(code.rank_hits(found, scenes), total)
        for key, value in measured.items():
            results[name].setdefault(key, []).append(value)

    faces = code.normalize(code.train_faces)
    others = code.normalize(code.train_others)
    for seed in seeds:
        scenes = code.make_scenes(seed)
        photos = [code.as_photo(scene) for scene, _ in scenes]
        runs = [code.cascade(photo) for photo in photos]
        for k, name in enumerate(stages):
            record(name, [run[k] for run in runs], scenes)
        own = code.train_own(faces, others, seed)
        mined = code.train_with_mining(own, seed)
        for name, net in zip(names[3:], (own, mined), strict=True):
            found = [code.find_own(net, photo) for photo in photos]
            record(name, found, scenes)
            recall, false_alarms = code.rates(net)
            accuracy = (recall + 1 - false_alarms) / 2
            key = "accuracy on crops"
            results[name].setdefault(key, []).append(accuracy)
    return results
