#!/bin/sh
# A model of Hocket's own, from nothing: about an hour on two cores for the codec (models/hocket-codec was made so), half an hour for
# what the language model reads, and as long as one likes for that model; STEPS says how long (0.8 s each). Each step goes on
# where it was stopped, so the script may be ended and begun again at any time.
#
#   recipes/hocket-mini.sh [OUT]
#
#   OUT   the folder for everything that is made; default: runs/hocket-mini. Needs about 3 GB
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$here/runs/hocket-mini}
hocket() { node "$here/bin/hocket.js" "$@"; }
on() { if [ -f "$1/$2" ]; then echo --resume; fi; }
mkdir -p "$out"

# What the codec hears: music of the recipe, and recordings, so that it is no codec of SoundFonts only.
[ -f "$out/real/data.jsonl" ] || "$here/recipes/real-audio.sh" "$out"
hocket data make --recipe synth --hours 1.5 --seed 100 --out "$out/codec-data" $(on "$out/codec-data" recipe.json)
hocket train codec "$out/codec-data:0.7" "$out/real:0.3" --preset mini --seconds 0.64 --steps 4000 --judged-from 4000 \
  --out "$out/codec" $(on "$out/codec" training.json)

# What the language model reads.
hocket data make --recipe synth --hours 6 --seed 1 --out "$out/data" $(on "$out/data" recipe.json)
hocket data tokenize "$out/data" --codec "$out/codec"
hocket train lm "$out/data" --codec "$out/codec" --preset mini --layers 6 --batch 4 --steps "${STEPS:-10000}" \
  --out "$out/lm" $(on "$out/lm" training.json)

# The decoder goes on alone, with discriminators: the same codes, a better sound. Half precision is enough to keep.
hocket train codec "$out/codec-data:0.7" "$out/real:0.3" --preset mini --from "$out/codec" --only-decoder --seconds 0.64 \
  --steps 3000 --judged-from 0 --rate 0.0003 --out "$out/decoder" $(on "$out/decoder" training.json)
[ -d "$out/model" ] || hocket merge "$out/lm" --codec "$out/decoder" --half --out "$out/model"

hocket eval "$out/decoder" --data "$out/codec-data" --real "$out/real-eval"
hocket eval "$out/model" --data "$out/data"
