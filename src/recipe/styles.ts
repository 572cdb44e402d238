/** @file The styles by name. */

import type { Style, StyleId } from "./style.js";
import { classical, folk, piano, waltz } from "./styles-acoustic.js";
import { ambient, chiptune, hiphop, house } from "./styles-electronic.js";
import { funk, metal, pop, rock } from "./styles-rock.js";
import { blues, jazz, latin, reggae } from "./styles-swing.js";

export const styles: Readonly<Record<StyleId, Style>> = {
  rock,
  metal,
  pop,
  funk,
  blues,
  jazz,
  latin,
  reggae,
  folk,
  waltz,
  classical,
  piano,
  ambient,
  house,
  hiphop,
  chiptune,
};
