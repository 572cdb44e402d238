"""Small audio files made by the formats' own tools, and what those tools decode them to. Writes the files beside it."""
import os, struct, subprocess
import numpy as np


def wav(name, rate, bits, channels):
    """Integers [C, N] as a plain WAV file."""
    data = np.array(channels).T.reshape(-1)
    raw = b"".join(struct.pack("<i", int(v))[: bits // 8] for v in data)
    c = len(channels)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, c, rate, rate * c * bits // 8, c * bits // 8, bits)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(raw)) + raw
    open(name, "wb").write(struct.pack("<4sI", b"RIFF", len(body)) + body)


def run(*command):
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


random = np.random.default_rng(7)
t = np.arange(9000) / 8000
music = [0.4 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3 * 440 * t * (1 + 0.05 * t)), 0.3 * np.sin(2 * np.pi * 660 * t)]
music = [np.concatenate([m * (1 - t / 2), np.zeros(600), random.uniform(-1, 1, 400)]) for m in music]
ints = lambda bits, rows: [np.round(r * (2 ** (bits - 1) - 1)).astype(int) for r in rows]

wav("flac16.wav", 8000, 16, ints(16, music))
run("flac", "-8", "-e", "-p", "-s", "-f", "--blocksize=1152", "flac16.wav")
wav("flac24.wav", 96000, 24, ints(24, music[:1]))
run("flac", "-8", "-s", "-f", "flac24.wav")
wav("wasted.wav", 11025, 16, [v // 16 * 16 for v in ints(16, music)])
run("flac", "-5", "-s", "-f", "--no-padding", "wasted.wav")
wav("three.wav", 12345, 16, ints(16, [m[:50] for m in (music[0], music[1], -music[0])]))
run("flac", "-0", "-s", "-f", "--lax", "--channel-map=none", "--no-padding", "three.wav")

t = np.arange(16000) / 32000
tone = [0.5 * np.sin(2 * np.pi * 440 * t), 0.25 * np.sin(2 * np.pi * 1000 * t)]
wav("tone.wav", 32000, 16, ints(16, tone))
wav("mono.wav", 32000, 16, ints(16, tone[:1]))
run("lame", "--silent", "-V", "5", "--add-id3v2", "--tt", "A title", "tone.wav", "stereo.mp3")
run("lame", "--silent", "-b", "64", "-t", "--id3v1-only", "--tt", "A title", "mono.wav", "mono.mp3")
run("oggenc", "-Q", "-s", "1", "-q", "5", "-t", "A title", "-o", "stereo.ogg", "tone.wav")
wav("tone48.wav", 48000, 16, ints(16, [np.interp(np.arange(24000) / 48000, t, x) for x in tone]))
run("opusenc", "--quiet", "--bitrate", "96", "--serial", "1", "--title", "A title", "tone48.wav", "stereo.opus")
for name, command in {
    "stereo.mp3": ["lame", "--silent", "--decode", "stereo.mp3", "stereo.mp3.wav"],
    "mono.mp3": ["lame", "--silent", "--decode", "mono.mp3", "mono.mp3.wav"],
    "stereo.ogg": ["oggdec", "-Q", "-o", "stereo.ogg.wav", "stereo.ogg"],
    "stereo.opus": ["opusdec", "--quiet", "--no-dither", "stereo.opus", "stereo.opus.wav"],
}.items():
    run(*command)
for name in ("tone.wav", "mono.wav", "tone48.wav"):
    os.remove(name)
