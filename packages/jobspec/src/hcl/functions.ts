import { COLLECTION_FUNCTIONS } from "./functions/collection.ts";
import { DATE_FUNCTIONS } from "./functions/date.ts";
import { ENCODING_FUNCTIONS } from "./functions/encoding.ts";
import type { HclFunction } from "./functions/function.ts";
import { MORE_COLLECTION_FUNCTIONS } from "./functions/more-collection.ts";
import { MORE_TEXT_FUNCTIONS } from "./functions/more-text.ts";
import { NETWORK_FUNCTIONS } from "./functions/network.ts";
import { NUMBER_FUNCTIONS } from "./functions/number.ts";
import { PATH_FUNCTIONS } from "./functions/path.ts";
import { TEXT_FUNCTIONS } from "./functions/text.ts";
import { YAML_FUNCTIONS } from "./functions/yaml.ts";

export type { HclFunction } from "./functions/function.ts";

/** The functions that need nothing but their arguments. Callers add those that read files, clocks or random ids. */
export const PURE_FUNCTIONS: ReadonlyMap<string, HclFunction> = new Map(
  Object.entries({
    ...{ ...TEXT_FUNCTIONS, ...MORE_TEXT_FUNCTIONS, ...NUMBER_FUNCTIONS, ...ENCODING_FUNCTIONS },
    ...{ ...COLLECTION_FUNCTIONS, ...MORE_COLLECTION_FUNCTIONS, ...NETWORK_FUNCTIONS },
    ...{ ...DATE_FUNCTIONS, ...PATH_FUNCTIONS, ...YAML_FUNCTIONS },
  }),
);
