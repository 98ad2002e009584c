"""Reads Prometheus' text format, as far as a test wants to know what a page says."""

import re

_SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?')


def parse(text):
    """{(name, ((label, value), ...)): number}; labels in the order of their names."""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, labels, value = _SAMPLE.match(line).groups()
        key = name, tuple(sorted(_LABEL.findall(labels or "")))
        if key in samples:
            raise AssertionError(f"twice: {line}")
        samples[key] = float(value)
    return samples


def total(samples, name, **labels):
    """The sum over the samples of a name with these labels, and maybe others."""
    return sum(value for (found, pairs), value in samples.items()
               if found == name and labels.items() <= dict(pairs).items())


def by(samples, name, label):
    """{value of the label: sum}."""
    sums = {}
    for (found, pairs), value in samples.items():
        if found == name:
            key = dict(pairs)[label]
            sums[key] = sums.get(key, 0) + value
    return sums
