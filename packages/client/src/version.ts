/** The release of the API that the agent speaks: jobs constrain on `nomad.version`. */
export const API_VERSION = "2.0.5";
export const STEPPE_VERSION = "0.1.0";
