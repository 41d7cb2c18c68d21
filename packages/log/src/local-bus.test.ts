import { createClock } from "@steppe/runtime";
import { describeBusContract } from "./bus-contract.ts";
import { createLocalBus } from "./local-bus.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";
import { settled } from "./testing/stepped-clock.ts";

describeBusContract("local", async () => {
  const bus = createLocalBus(createClock(), createQuietLogger());
  return { here: bus, there: bus, settled };
});
