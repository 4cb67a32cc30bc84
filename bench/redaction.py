"""The Python half of redaction.ts, which calls it: the same corpus, rows of the same table."""

import json
import re
import statistics
import sys
import time

import ahocorasick

from flowmason_core.secrets import Redactor

with open(sys.argv[1], encoding="utf-8") as file:
    corpus = json.load(file)
secrets, patterns, log = corpus["secrets"], corpus["patterns"], corpus["log"]


def once(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def row(name, build):
    built = []
    milliseconds = once(lambda: built.append(build()))
    search = built[0]
    found = search()
    searched = statistics.median(once(search) for _ in range(9))
    print(f"| Python {sys.version.split()[0]} | {name} | {milliseconds:.0f} | {searched:.1f} | {found} |")


def ours():
    redactor = Redactor(secrets)
    return lambda: redactor.redact(log).count("****...****")


def automaton():
    words = ahocorasick.Automaton()
    for pattern in patterns:
        words.add_word(pattern, len(pattern))
    words.make_automaton()
    return lambda: sum(1 for _ in words.iter(log))


def expression():
    one = re.compile("|".join(map(re.escape, sorted(patterns, key=len, reverse=True))))
    return lambda: len(one.findall(log))


row("this redactor, with the replacing", ours)
row("pyahocorasick 2.3.1 (C)", automaton)
row("one `re`, longest first", expression)
