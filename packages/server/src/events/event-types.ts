import type { Command } from "@steppe/proto";

export type EventTopicName = "Job" | "Evaluation" | "Allocation" | "Deployment" | "Node";

type Kind = NonNullable<Command["Kind"]>;

/** What clients are told was done, by the command that did it. */
const BY_COMMAND: { readonly [Case in Kind["$case"]]?: string } = {
  RegisterJob: "JobRegistered",
  DeregisterJob: "JobDeregistered",
  EvaluateJob: "EvaluationUpdated",
  LaunchPeriodic: "JobRegistered",
  RevertJob: "JobRegistered",
  SetJobStability: "JobRegistered",
  UpsertEvaluations: "EvaluationUpdated",
  ApplyPlan: "PlanResult",
  RegisterNode: "NodeRegistration",
  DeregisterNodes: "NodeDeregistration",
  UpdateNodeStatus: "NodeEvent",
  UpdateNodeEligibility: "NodeDrain",
  UpdateNodeDrain: "NodeDrain",
  CompleteDrains: "NodeDrain",
  EvaluateNode: "EvaluationUpdated",
  MigrateAllocations: "AllocationUpdateDesiredStatus",
  UpdateAllocations: "AllocationUpdated",
  ReportAllocations: "AllocationUpdated",
  PromoteDeployment: "DeploymentPromotion",
  PauseDeployment: "DeploymentStatusUpdate",
  FailDeployment: "DeploymentStatusUpdate",
  UnblockDeployment: "DeploymentStatusUpdate",
  AdvanceDeployments: "DeploymentStatusUpdate",
  SetAllocationHealth: "DeploymentAllocHealth",
};

/** What a change is called when no command of the entry has a name for it. */
const BY_TOPIC: Readonly<Record<EventTopicName, string>> = {
  Job: "JobRegistered",
  Evaluation: "EvaluationUpdated",
  Allocation: "AllocationUpdated",
  Deployment: "DeploymentStatusUpdate",
  Node: "NodeEvent",
};

/** Of several commands in one entry, the name of a topic's change is that of the first command made for it. */
const MADE_FOR: Readonly<Record<EventTopicName, readonly string[]>> = {
  Job: ["JobRegistered", "JobDeregistered"],
  Evaluation: ["EvaluationUpdated", "JobRegistered", "JobDeregistered"],
  Allocation: ["PlanResult", "AllocationUpdated", "AllocationUpdateDesiredStatus"],
  Deployment: ["DeploymentStatusUpdate", "DeploymentPromotion", "DeploymentAllocHealth", "PlanResult"],
  Node: ["NodeRegistration", "NodeDeregistration", "NodeDrain", "NodeEvent"],
};

/**
 * What is said of an entry's changes, by topic. All changes of one command have its name, also those of other
 * topics that follow from it, as the API has it: a job that a plan made run is a `PlanResult`.
 */
export function eventTypes(commands: readonly Command[]): (topic: EventTopicName) => string {
  const names = new Set(commands.map(({ Kind: kind }) => kind && BY_COMMAND[kind.$case]));
  names.delete(undefined);
  const [first, ...others] = names as Set<string>;
  if (first !== undefined && others.length === 0) return () => first;
  return (topic) => MADE_FOR[topic].find((name) => names.has(name)) ?? first ?? BY_TOPIC[topic];
}
