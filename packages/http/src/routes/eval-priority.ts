import { SteppeError } from "@steppe/model";

/** 0 = the job's own. */
export function checkEvalPriority(priority: number): void {
  if (priority === 0 || (priority >= 1 && priority <= 100)) return;
  throw new SteppeError("invalid", "Eval priority must be between 1 and 100 inclusively");
}
