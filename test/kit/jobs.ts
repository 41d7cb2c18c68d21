/** Jobs as clients send them: only what a test is about, the rest by default. */

interface JobParts {
  readonly count?: number;
  readonly type?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly group?: Readonly<Record<string, unknown>>;
  readonly job?: Readonly<Record<string, unknown>>;
  readonly driver?: string;
  readonly cpu?: number;
}

/** One group of a mock_driver task, which runs until it is stopped unless `config` says otherwise. */
export function mockTaskJob(id: string, parts: JobParts = {}) {
  return {
    ID: id,
    Type: parts.type ?? "service",
    TaskGroups: [
      {
        Name: "group",
        Count: parts.count ?? 1,
        EphemeralDisk: { SizeMB: 20 },
        Tasks: [
          {
            Name: "task",
            Driver: parts.driver ?? "mock_driver",
            Config: parts.config ?? { run_for: "1h" },
            Resources: { CPU: parts.cpu ?? 20, MemoryMB: 20 },
            LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
          },
        ],
        ...parts.group,
      },
    ],
    ...parts.job,
  };
}
