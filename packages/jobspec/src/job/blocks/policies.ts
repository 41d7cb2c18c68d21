import type { BlockSchema } from "../schema.ts";

export const update = (): BlockSchema => ({
  attributes: {
    ...{ stagger: ["Stagger", "duration"], max_parallel: ["MaxParallel", "int"] },
    ...{ health_check: ["HealthCheck", "string"], min_healthy_time: ["MinHealthyTime", "duration"] },
    ...{ healthy_deadline: ["HealthyDeadline", "duration"], progress_deadline: ["ProgressDeadline", "duration"] },
    ...{ canary: ["Canary", "int"], auto_revert: ["AutoRevert", "bool"], auto_promote: ["AutoPromote", "bool"] },
  },
});

export const migrate = (): BlockSchema => ({
  attributes: {
    ...{ max_parallel: ["MaxParallel", "int"], health_check: ["HealthCheck", "string"] },
    ...{ min_healthy_time: ["MinHealthyTime", "duration"], healthy_deadline: ["HealthyDeadline", "duration"] },
  },
});

export const restart = (): BlockSchema => ({
  attributes: {
    ...{ attempts: ["Attempts", "int"], interval: ["Interval", "duration"], delay: ["Delay", "duration"] },
    ...{ mode: ["Mode", "string"], render_templates: ["RenderTemplates", "bool"] },
  },
});

export const reschedule = (): BlockSchema => ({
  attributes: {
    ...{ attempts: ["Attempts", "int"], interval: ["Interval", "duration"], delay: ["Delay", "duration"] },
    ...{ delay_function: ["DelayFunction", "string"], max_delay: ["MaxDelay", "duration"] },
    unlimited: ["Unlimited", "bool"],
  },
});

export const disconnect = (): BlockSchema => ({
  attributes: {
    ...{ lost_after: ["LostAfter", "duration"], stop_on_client_after: ["StopOnClientAfter", "duration"] },
    ...{ replace: ["Replace", "bool"], reconcile: ["Reconcile", "string"] },
  },
});

export const scaling = (): BlockSchema => ({
  attributes: {
    ...{ type: ["Type", "string"], min: ["Min", "int"], max: ["Max", "int"] },
    ...{ enabled: ["Enabled", "bool"], policy: ["Policy", "free"] },
  },
});
