// For tests of this and other packages.
export { Ledger, planFor } from "./testing/ledger.ts";
