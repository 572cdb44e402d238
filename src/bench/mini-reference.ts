/** @file Where the model lies that is shipped with the package. */

import { fileURLToPath } from "node:url";

export const miniReference = fileURLToPath(new URL("../../../models/mini-reference", import.meta.url));
