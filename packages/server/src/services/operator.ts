import { type Service, SteppeError } from "@steppe/model";
import type { OperatorDefinition } from "@steppe/proto";
import type { Reader } from "./read.ts";
import type { Writer } from "./write.ts";

/** What operators set for this region. */
export function createOperator(reader: Reader, writer: Writer): Service<OperatorDefinition> {
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
  };
}
