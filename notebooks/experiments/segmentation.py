"""Train chapter 17's networks with five seeds, and count nuclei with them."""

from types import SimpleNamespace

CHAPTER = "17_label_every_pixel"
SEEDS = [0, 1, 2, 3, 4]
TOLERANCE = {"": 0.02}
COUNTED = "components", "distances", "boundary, weight 1", "boundary, weight 3"
TOLERANCE |= {
    f"counts, {name}, {key}": 0.9
    for name in COUNTED
    for key in ("nuclei", "objects", "found", "merged", "split")
}


def run(code: SimpleNamespace, seeds: list[int]) -> dict:
    """Return measures of the masks and of the counts: by network, by seed."""
    test = code.x_test, code.mask_test
    training = code.x_train, code.mask_train
    masks, counts, longer = {}, {}, {}
    weight = (1 - code.share) / code.share  # of the nuclei, in code.weighted

    def count(name: str, objects: list) -> None:
        found = [code.compare(o, code.labels_test) for o in objects]
        counts[name] = {key: [int(f[key]) for f in found] for key in found[0]}

    def test_masks(nets: list, threshold: float = 0) -> dict:
        found = [code.measure_mask(net, *test, threshold) for net in nets]
        return {key: [f[key] for f in found] for key in found[0]}

    for name in code.variants:
        nets = [code.train_variant(name, seed)[0] for seed in seeds]
        masks[name] = test_masks(nets)
        found = [code.measure_mask(net, *training) for net in nets]
        masks[name]["training IoU"] = [f["IoU"] for f in found]
        if name == "class weights":
            shifted = test_masks(nets, weight.log().item())
        if name.startswith("five levels"):
            nets = [code.train_variant(name, seed, 45)[0] for seed in seeds]
            longer[name] = test_masks(nets)
        if name == "U-Net":
            scores = [code.apply(net, code.x_test)[0, 0] for net in nets]
            count("components", [code.components(s > 0) for s in scores])
            count("distances", [code.from_distances(s > 0) for s in scores])
    for name, weights in code.class_weights.items():
        nets = [code.train_three(weights, seed) for seed in seeds]
        scores = [code.apply(net, code.x_test)[0] for net in nets]
        count(name, [code.from_interiors(s) for s in scores])
    return {
        "masks": masks,
        "counts": counts,
        "longer": longer,
        "class weights, shifted": shifted,
    }
