#!/bin/sh
# The model in this package, from nothing: about two days on two cores, most of it the language model. Each step goes on where
# it was stopped, so the script may be ended and begun again at any time.
#
#   recipes/hocket-mini.sh [OUT]
#
#   OUT   the folder for everything that is made; default: runs/hocket-mini. Needs about 4 GB
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$here/runs/hocket-mini}
hocket() { node "$here/bin/hocket.js" "$@"; }
on() { if [ -f "$1/$2" ]; then echo --resume; fi; }
mkdir -p "$out"

# What the codec hears: music of the recipe, and recordings, so that it is no codec of SoundFonts only.
[ -f "$out/real/data.jsonl" ] || "$here/recipes/real-audio.sh" "$out"
hocket data make --recipe synth --hours 3 --seed 100 --out "$out/codec-data" $(on "$out/codec-data" recipe.json)
hocket train codec "$out/codec-data:0.7" "$out/real:0.3" --preset mini --seconds 0.64 --steps 12000 --judged-from 12000 \
  --out "$out/codec-plain" $(on "$out/codec-plain" training.json)
# Then discriminators join, on what was learnt without them.
hocket train codec "$out/codec-data:0.7" "$out/real:0.3" --preset mini --from "$out/codec-plain" --seconds 0.64 \
  --steps 3000 --judged-from 0 --rate 0.0003 --out "$out/codec" $(on "$out/codec" training.json)

# What the language model reads.
hocket data make --recipe synth --hours 20 --seed 1 --out "$out/data" $(on "$out/data" recipe.json)
hocket data tokenize "$out/data" --codec "$out/codec"
hocket train lm "$out/data" --codec "$out/codec" --preset mini --out "$out/lm" $(on "$out/lm" training.json)

hocket eval "$out/codec" --data "$out/codec-data" --real "$out/real-eval"
hocket eval "$out/lm" --data "$out/data"
