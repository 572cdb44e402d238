#!/bin/sh
# From nothing to music that follows words, in about ten minutes on two cores: composes and renders music, teaches a codec
# to write it, teaches a language model to go on with it, and asks that for two pieces. Small, so do not expect beauty;
# every command is the one for the real thing.
#
#   recipes/tiny.sh [--quick] [OUT]
#
#   OUT       the folder for everything that is made; default: runs/tiny. What is there already is gone on with
#   --quick   a minute or two instead: to see that every step works, not to listen to
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=
clips=240 codec=700 lm=700
while [ $# -gt 0 ]; do
  case $1 in
    --quick) clips=12 codec=12 lm=12 ;;
    -*) echo "there is no option $1: --quick" >&2; exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
out=${out:-$here/runs/tiny}
hocket() { node "$here/bin/hocket.js" "$@"; }
# A run that was begun goes on; another begins.
on() { if [ -f "$1/training.json" ]; then echo --resume; fi; }
mkdir -p "$out"

echo "1. music to learn from" >&2
if [ -f "$out/data/data.jsonl" ]; then more=--resume; else more=; fi
hocket data make --recipe synth --clips $clips --seconds 5 --split 90/8/2 --out "$out/data" $more

echo "2. a codec: sound to codes and back" >&2
hocket train codec "$out/data" --preset tiny --steps $codec --out "$out/codec" $(on "$out/codec")

echo "3. the music as codes" >&2
hocket data tokenize "$out/data" --codec "$out/codec"

echo "4. a language model: from words to codes" >&2
hocket train lm "$out/data" --codec "$out/codec" --preset tiny --steps $lm --out "$out/lm" $(on "$out/lm")

echo "5. two pieces, from the same seed" >&2
hocket generate "rock with drums at 120 bpm" --model "$out/lm" --duration 5 --seed 1 --overwrite -o "$out/rock.wav"
hocket generate "calm solo piano, no drums" --model "$out/lm" --duration 5 --seed 1 --overwrite -o "$out/piano.wav"
