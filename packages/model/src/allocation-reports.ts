// Many allocations of which the same is said, as one report.
import type { AllocationReports, AllocationUpdate } from "@steppe/proto";

/** What is said of one allocation. */
export interface Report {
  readonly ID: string;
  readonly DeploymentID: string;
  /** The same object for all that have it alike; its ID and DeploymentID are empty. */
  readonly said: AllocationUpdate;
}

/** As the API writes an id. */
const ID_LENGTH = 36;

/** In the order of the reports, as far as the same is said of neighbours. */
export function packReports(reports: Iterable<Report>): AllocationReports[] {
  const packed: AllocationReports[] = [];
  let [said, deployment]: [AllocationUpdate | undefined, string] = [undefined, ""];
  let ids: string[] = [];
  const close = () => {
    if (ids.length > 0) packed.at(-1)?.Of.push({ DeploymentID: deployment, AllocIDs: ids.join("") });
    ids = [];
  };
  for (const report of reports) {
    if (report.said !== said || report.DeploymentID !== deployment) {
      close();
      if (report.said !== said) packed.push({ Update: report.said, Of: [] });
      ({ said, DeploymentID: deployment } = report);
    }
    ids.push(report.ID);
  }
  close();
  return packed;
}

/** Whether it is made of whole ids. */
export function isReportedIds(allocIds: string): boolean {
  return allocIds.length % ID_LENGTH === 0;
}

export function* reportedIds(allocIds: string): Generator<string> {
  for (let at = 0; at < allocIds.length; at += ID_LENGTH) yield allocIds.slice(at, at + ID_LENGTH);
}
