"""The systems under test as processes that take one clip at a time, and what they cost: wall, processor, memory.

All run at the same priority on two threads with the same weights, fixed to English. Models are loaded before the first clip;
whisper-cli loads for each clip, so the load time it prints is taken off.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import clips

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """A process and all below it."""
    out = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                out += tree(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return out


def processor(pid):
    """Processor seconds of a process tree, with those of children that have ended."""
    total = 0
    for p in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(x) for x in fields[11:15])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICK


def memory(pid):
    """Bytes that a process tree holds: private memory of each process, and once what its processes share with one another.

    A proportional set size would also share out what another system happens to map, so files are counted whole.
    """
    private, files = 0, {}
    for p in tree(pid):
        try:
            lines = pathlib.Path(f"/proc/{p}/smaps").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        where = None
        for line in lines:
            field = line.split()
            if "-" in field[0] and not field[0].endswith(":"):
                where = (field[3], field[4], field[2]) if field[4] != "0" else None
            elif field[0] == "Rss:" and where:
                files[where] = max(files.get(where, 0), int(field[1]))
            elif field[0] == "Pss:" and not where:
                private += int(field[1])
    return 1024 * (private + sum(files.values()))


class Watch:
    """Samples the memory of a process tree while it works."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while True:
            self.peak = max(self.peak, memory(self.pid))
            if self.over.wait(0.2):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Worker:
    """A process that answers one line of JSON with another. Several systems may share one."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent.parent)
        self.load = json.loads(self.process.stdout.readline())["ready"]

    def ask(self, request):
        pid = self.process.pid
        before = processor(pid)
        with Watch(pid) as watch:
            began = time.perf_counter()
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            took = time.perf_counter() - began
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended")
        return {**json.loads(line), "seconds": took, "cpu_seconds": processor(pid) - before, "peak_bytes": watch.peak}

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Lines:
    """A system behind a worker."""

    def __init__(self, name, worker, **more):
        self.name, self.worker, self.more = name, worker, more
        self.load = worker.load

    def one(self, row):
        path = str(clips.CLIPS / row["set"] / row["file"])
        return self.worker.ask({"id": row["id"], "path": path, **self.more})


class CommandLine:
    """whisper-cli as its authors set it."""

    load = 0.0

    def __init__(self, name, model):
        self.name, self.model = name, model

    def one(self, row):
        wav = clips.CLIPS / row["set"] / row["wav"]
        with tempfile.TemporaryDirectory() as tmp:
            command = [clips.CACHE / "bench-asr" / "whisper-cli", "-m", self.model, "-t", "2", "-l", "en", "-oj", "-of", f"{tmp}/out", "-f", wav]
            used, began = os.times(), time.perf_counter()
            process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            with Watch(process.pid) as watch:
                log = process.communicate()[1]
            took, after = time.perf_counter() - began, os.times()
            heard = json.loads(pathlib.Path(f"{tmp}/out.json").read_bytes().decode("utf-8", "replace"))
        found = re.search(r"load time =\s+([\d.]+) ms", log)
        load = float(found.group(1)) / 1000 if found else 0.0
        words = []
        for s in heard["transcription"]:
            start, end, texts = s["offsets"]["from"] / 1000, s["offsets"]["to"] / 1000, s["text"].split()
            for k, t in enumerate(texts):
                step = (end - start) / len(texts)
                words.append({"text": t, "start": round(start + k * step, 3), "end": round(start + (k + 1) * step, 3)})
        cpu = after.children_user + after.children_system - used.children_user - used.children_system
        return {"id": row["id"], "seconds": took - load, "load_seconds": load, "cpu_seconds": cpu, "peak_bytes": watch.peak, "words": words}


def vesper(binary, variants):
    """All settings of ours share one set of engine processes, as they would in one worker."""
    worker = Worker([str(binary), "--serve"])
    return [Lines(f"vesper-{v}", worker, settings=v) for v in variants]


def peer(mode):
    return Lines(f"faster-whisper-{mode}", Worker([sys.executable, str(HERE / "peer.py"), "--mode", mode, "--serve"]))


def command_line(quant):
    model = clips.CACHE / "models" / ("ggml-base.bin" if quant == "f16" else f"ggml-base-{quant}.bin")
    return CommandLine(f"whisper-cli-{quant}", model)
