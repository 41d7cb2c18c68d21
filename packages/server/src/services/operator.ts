import { noQuorum } from "@steppe/log";
import { MILLISECOND, type Service, SteppeError } from "@steppe/model";
import type { LogReplica, OperatorDefinition } from "@steppe/proto";
import type { Replica } from "../replica.ts";
import type { Reader } from "./read.ts";
import type { Writer } from "./write.ts";

/** What operators see of this region and set for it. `name`: this server's, as a member. */
export function createOperator(
  reader: Reader,
  writer: Writer,
  { log, view }: Pick<Replica, "log" | "view">,
  name: string,
): Service<OperatorDefinition> {
  return {
    async getSchedulerConfiguration(request, call) {
      const { value, meta } = await reader.read(request.Query, call, { kind: "table", id: "operator" }, (view) => {
        const config = view.schedulerConfiguration;
        return { changedAt: config.ModifyIndex, index: config.ModifyIndex, value: config };
      });
      return { SchedulerConfig: value, Meta: meta };
    },

    async setSchedulerConfiguration({ Write, Config, CheckIndex, ModifyIndex }, call) {
      if (Config === undefined) throw new SteppeError("invalid", "scheduler configuration must be specified");
      const { Updated, Index } = await writer.write(Write, call, {
        $case: "SetSchedulerConfiguration",
        value: { Config, CheckIndex, ModifyIndex },
      });
      return { Updated, Index };
    },

    async getAutopilotConfiguration(request, call) {
      const { value, meta } = await reader.read(request.Query, call, { kind: "table", id: "operator" }, (view) => {
        const config = view.autopilotConfiguration;
        return { changedAt: config.ModifyIndex, index: config.ModifyIndex, value: config };
      });
      return { Config: value, Meta: meta };
    },

    async setAutopilotConfiguration({ Write, Config, CheckIndex, ModifyIndex }, call) {
      if (Config === undefined) throw new SteppeError("invalid", "autopilot configuration must be specified");
      const { Updated, Index } = await writer.write(Write, call, {
        $case: "SetAutopilotConfiguration",
        value: { Config, CheckIndex, ModifyIndex },
      });
      return { Updated, Index };
    },

    async log(_request, call) {
      const found = await log.replicas?.(call.signal);
      const Replicas: LogReplica[] = found?.map((it) => ({
        Name: it.name,
        Leader: it.leader,
        Current: it.current,
        Offline: it.offline,
        Lag: it.lag,
        Active: Math.round(it.silentMs * MILLISECOND),
      })) ?? [{ Name: name, Leader: true, Current: true, Offline: false, Lag: 0, Active: 0 }];
      return { Index: Math.max(view.index, 1), Replicas: Replicas.sort((a, b) => (a.Name < b.Name ? -1 : 1)) };
    },

    async transferLeadership({ Write, Successor }, call) {
      const { lease } = view;
      if (lease === undefined) throw noQuorum();
      if (Successor === lease.Holder) throw new SteppeError("invalid", `${Successor} is the leader already`);
      const value = { Term: lease.Term, Successor };
      const { Index } = await writer.write(Write, call, { $case: "ReleaseLease", value });
      return { Index };
    },
  };
}
