/** Own version, and the version of the Nomad API spoken, which clients look at. */
export const STEPPE_VERSION = "0.1.0";
export const API_VERSION = "2.0.5";
