"""The same operations in genro-bag, a line each: measure, tab, nanoseconds an operation."""

import random
import time

from genro_bag import Bag

paths = [f"branch{a:02}.branch{b:02}.leaf00{c:02}" for a in range(50) for b in range(50) for c in range(40)]
shuffled = random.Random(1).sample(paths, len(paths))


def measured(name, count, run):
    start = time.perf_counter_ns()
    result = run()
    print(f"{name}\t{(time.perf_counter_ns() - start) / count}", flush=True)
    return result


def set_all(bag, paths, add=0):
    for value, path in enumerate(paths):
        bag.set_item(path, value + add)
    return bag


def get_all(bag, paths):
    for path in paths:
        bag.get_item(path)


def walk_all(bag):
    return sum(bag.query("#v", deep=True, branch=False))


# A part of them will do; it takes a hundred times as long as here.
few = shuffled[:10_000]
ordered = measured("set a new path, in order", len(paths), lambda: set_all(Bag(), paths))
at_random = measured("set a new path, at random", len(few), lambda: set_all(Bag(), few))
measured("set a path that is there, in order", len(few), lambda: set_all(ordered, paths[: len(few)], 1))
measured("set a path that is there, at random", len(few), lambda: set_all(ordered, few, 1))
measured("get by path, at random", len(few), lambda: get_all(ordered, few))
measured("walk, built in order", len(paths), lambda: walk_all(ordered))
measured("walk, built at random", len(few), lambda: walk_all(at_random))
ordered.subscribe("bench", any=lambda **event: None)
measured("update, one subscriber at the root", len(few), lambda: set_all(ordered, few, 2))

# Each of these takes milliseconds there, so a few must do.
wide = Bag()
for number in range(40_000):
    wide.set_item(f"leaf{number:05}", number)
labels = [f"leaf{number:05}" for number in random.Random(2).sample(range(40_000), 100)]
measured("40,000 wide: membership", 100, lambda: [label in wide for label in labels])
measured("40,000 wide: set an attribute", 100, lambda: [wide.set_attr(label, a=1) for label in labels])
measured("40,000 wide: #n", 100, lambda: [wide.get_item(f"#{label[4:].lstrip('0') or 0}") for label in labels])
