#!/bin/sh
# Recorded and produced music that may be learnt from, out of Debian's game packages, and sixteen clips by other artists to
# judge a codec with. Needs apt-get and dpkg (Debian, Ubuntu) and about 1.5 GB of disk while it works.
#
#   recipes/real-audio.sh [--all] [--debs DIR] [OUT]
#
#   OUT          where OUT/real and OUT/real-eval are made; default: data
#   --all        also takes music under CC-BY, which asks that OUT/real/LICENCES goes with what is made of it;
#                without it, only MIT, BSD, CC0 and the public domain
#   --debs DIR   keeps the packages in DIR, and fetches only those that are not there
#
# Artists heard in real-eval are not in real, except Kenta Cho, whose game noiz2sa is kept out of it (clip noiz2sa-stg3).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
all=no
debs=
out=data
while [ $# -gt 0 ]; do
  case $1 in
    --all) all=yes ;;
    --debs) debs=$2; shift ;;
    -*) echo "there is no option $1: --all, --debs DIR" >&2; exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
for tool in apt-get dpkg node; do
  command -v $tool >/dev/null || { echo "$tool is not on this machine, and this recipe needs it" >&2; exit 2; }
done

# licence | author | where the licence is stated | package | files, in the package
tracks='
BSD-2-Clause|Kenta Cho|debian/copyright|torus-trooper-data|usr/share/games/torus-trooper/sounds/musics/*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|mu-cade-data|usr/share/games/mu-cade/sounds/musics/*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|gunroar-data|usr/share/games/gunroar/sounds/musics/*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|titanion-data|usr/share/games/titanion/sounds/musics/*.ogg
BSD-2-Clause|Kenta Cho, Piste Gamez|debian/copyright|tumiki-fighters-data|usr/share/games/tumiki-fighters/sounds/*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|parsec47-data|usr/share/games/parsec47/sounds/ptn*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|a7xpg-data|usr/share/games/a7xpg/sounds/bgm*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|rrootage-data|usr/share/games/rrootage/sounds/stg_*.ogg
BSD-2-Clause|Kenta Cho|debian/copyright|val-and-rick-data|usr/share/games/val-and-rick/sounds/musics/*.ogg
MIT|Tom Rothamel and the makers of Ren.Py|debian/copyright|renpy-demo|usr/share/games/renpy/demo/game/renpyallstars.ogg
public domain|Rytmi-Pojat, Eugen Malmsten, 1936 (Johann Strauss II)|README-REPLACEMENTS|freedink-data|usr/share/games/dink/dink/Sound/denube.ogg
CC0-1.0|Olivier Berube|SOUND_LICENSE.yaml|naev-data|usr/share/naev/dat/snd/music/pirate1_theme1.ogg
CC0-1.0|anonymous|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Ede.ogg
CC0-1.0|anonymous|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Call me.ogg
'
attributed='
CC-BY-3.0|Amber Forest|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Wooden Drive.ogg
CC-BY-4.0|Mauricio Duarte|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/UBports.ogg
CC-BY-4.0|Mauricio Duarte|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Entropy.ogg
CC-BY-4.0|Mauricio Duarte|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Mangor*.ogg
CC-BY-4.0|Mauricio Duarte|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/Time not Lost.ogg
CC-BY-4.0|TMetso|debian/copyright|lomiri-sounds|usr/share/sounds/lomiri/*/sakenointi.ogg
CC-BY-3.0|Gachopin|README-REPLACEMENTS|freedink-data|usr/share/games/dink/dink/Sound/lovin.ogg
CC-BY-3.0|Zeropage|SOUND_LICENSE.yaml|naev-data|usr/share/naev/dat/snd/music/void_sensor.ogg
CC-BY-3.0|Zeropage|SOUND_LICENSE.yaml|naev-data|usr/share/naev/dat/snd/music/ambiphonic.ogg
CC-BY-3.0|Muncheybobo (opengameart.org)|SOUND_LICENSE.yaml|naev-data|usr/share/naev/dat/snd/music/dark_city.ogg
'
whallon='ambient1 ambient2 ambient2_5 ambient3 collective1 collective2 landing_sinister tension intro empire1 empire2
  nebu_battle1 nebu_battle2 upbeat flf_battle1 sirius1 battlesomething1 battlesomething2 zalek1 zalek2 intrigue automat'
for name in $whallon; do # GPL-3 or CC-BY-3, at choice
  attributed="$attributed
CC-BY-3.0|Nikola Whallon|SOUND_LICENSE.yaml|naev-data|usr/share/naev/dat/snd/music/$name.ogg"
done
[ $all = no ] || tracks="$tracks$attributed"

# licence | artist | package | file | second at which ten seconds begin
fof=usr/share/games/fretsonfire/data/songs
clips="
public domain|United States Marine Band|renpy-demo|usr/share/games/renpy/demo/game/sunflower-slow-drag.ogg|40
Open Audio License|Mendelssohn, violin concerto|freedink-data|usr/share/games/dink/dink/Sound/106.ogg|60
CC-BY-SA|John Michel, cello|freedink-data|usr/share/games/dink/dink/Sound/1.ogg|30
MIT|Carlos Viola Iborra (Sectoid)|fretsonfire-songs-sectoid|$fof/sectoid/Metal madness/song.ogg|60
MIT|Carlos Viola Iborra (Sectoid)|fretsonfire-songs-sectoid|$fof/sectoid/Feelings/song.ogg|60
CC-BY-SA|Lars Muldjord|fretsonfire-songs-muldjord|$fof/muldjord/armygeddon/song.ogg|60
CC-BY-3.0|K-Pone|openclonk-data|usr/share/games/openclonk/Music.ocg/IslandDreams.ogg|40
CC-BY-3.0|K-Pone|openclonk-data|usr/share/games/openclonk/Music.ocg/@CrushedIceCocktail.ogg|40
CC-BY-3.0|K-Pone|openclonk-data|usr/share/games/openclonk/Music.ocg/UrbanBolero.ogg|60
CC-BY-3.0|K-Pone|openclonk-data|usr/share/games/openclonk/Music.ocg/Motorway.ogg|60
CC-BY-3.0|Matthew Pablo|naev-data|usr/share/naev/dat/snd/music/blackmoor_tides.ogg|40
CC-BY-3.0|Alexandr Zhelanov|naev-data|usr/share/naev/dat/snd/music/heartofmachine.ogg|60
CC0-1.0|Dizzy Crow|naev-data|usr/share/naev/dat/snd/music/pirates_orchestra.ogg|40
BSD-2-Clause|Kenta Cho|noiz2sa-data|usr/share/games/noiz2sa/sounds/stg3.ogg|40
MIT|Ben Abraham and others (Pax Britannica)|pax-britannica-data|usr/share/pax-britannica/audio/music.ogg|60
public domain|T. Willhoite (Bach)|gamine-data|usr/share/games/gamine/sounds/BachJSBrandenburgConcertNo2inFMajorBWV1047mvmt1.ogg|60
"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
debs=${debs:-$work/debs}
mkdir -p "$debs" "$out"
debs=$(cd "$debs" && pwd)
out=$(cd "$out" && pwd)

echo "$tracks" | cut -d'|' -f4 > "$work/packages"
echo "$clips" | cut -d'|' -f3 >> "$work/packages"
for package in $(sort -u "$work/packages"); do
  ls "$debs/$package"_*.deb >/dev/null 2>&1 || { echo "fetching $package"; (cd "$debs" && apt-get -qq download "$package"); }
  mkdir -p "$work/$package"
  dpkg -x "$debs/$package"_*.deb "$work/$package"
done

# a package's version, for the lists
version() { basename "$(ls "$debs/$1"_*.deb | head -1)" .deb | cut -d_ -f2; }
# the terms of a package, beside the lists
terms() {
  mkdir -p "$2"
  for file in copyright README-REPLACEMENTS.txt; do
    for found in "$work/$1/usr/share/doc/$1/$file"*; do
      [ ! -f "$found" ] || zcat -f "$found" > "$2/$1-$file"
    done
  done
  for found in "$work/$1"/usr/share/naev/dat/snd/SOUND_LICENSE.yaml; do
    [ ! -f "$found" ] || cp "$found" "$2/$1-SOUND_LICENSE.yaml"
  done
}

real=$out/real
rm -rf "$real/audio" "$real/licences"
mkdir -p "$real/audio"
{
  echo "Training audio: file, title, author, licence, Debian package and version, where the licence is stated."
  echo "The terms of every package are in licences/."
  echo "CC-BY-3.0: https://creativecommons.org/licenses/by/3.0/  CC-BY-4.0: https://creativecommons.org/licenses/by/4.0/"
  echo "CC0-1.0: https://creativecommons.org/publicdomain/zero/1.0/"
  echo
} > "$work/LICENCES"
echo "$tracks" | while IFS='|' read -r licence author stated package files; do
  [ -n "$licence" ] || continue
  found=no
  IFS= # file names have spaces
  for file in "$work/$package"/$files; do
    [ -f "$file" ] || continue
    found=yes
    title=$(basename "$file" .ogg)
    name=$package-$(echo "$title" | tr ' ' '_').ogg
    cp "$file" "$real/audio/$name"
    printf '{"title":"%s","artist":"%s"}\n' "$title" "$author" > "$real/audio/${name%.ogg}.json"
    echo "audio/$name: \"$title\", $author, $licence, $package $(version "$package"), $stated" >> "$work/LICENCES"
  done
  [ $found = yes ] || { echo "$package no longer holds $files" >&2; exit 1; }
  terms "$package" "$real/licences"
done
cp "$work/LICENCES" "$real/LICENCES"
node "$here/../bin/hocket.js" data scan "$real/audio" --out "$real" --valid 0.05

eval=$out/real-eval
rm -rf "$eval/audio" "$eval/licences"
mkdir -p "$eval/audio"
echo "Clips to judge with, not to learn from: file, artist, licence, Debian package and version, start in the original." > "$eval/LICENCES"
echo "$clips" | while IFS='|' read -r licence author package file start; do
  [ -n "$licence" ] || continue
  name=$(echo "$package-$(basename "$(dirname "$file")")-$(basename "$file" .ogg)" | tr -d '@' | tr ' ' '_').flac
  case $file in */song.ogg) ;; *) name=$(echo "$package-$(basename "$file" .ogg)" | tr -d '@').flac ;; esac
  node "$here/cut.mjs" "$work/$package/$file" "$start" 10 "$eval/audio/$name"
  echo "audio/$name: $author, $licence, $package $(version "$package"), from second $start" >> "$eval/LICENCES"
  terms "$package" "$eval/licences"
done
node "$here/../bin/hocket.js" data scan "$eval/audio" --out "$eval" --valid 1
