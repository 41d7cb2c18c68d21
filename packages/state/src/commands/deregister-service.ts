import type { DeregisterService, Outcome } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";

/** Takes a registration back that somebody knows to be wrong. It comes again when what it follows from changes. */
export function deregisterService(state: State, step: Step, { Namespace, ID }: DeregisterService): Outcome {
  const registration = state.services.byId.get(ID);
  if (registration?.Namespace !== Namespace) return refuse(step, "not-found", "service registration not found");
  state.removeService(step, registration);
  return done(step);
}
