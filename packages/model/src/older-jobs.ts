// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
// Jobs in the forms of older releases, as their clients send them.

/** The example of the API page of the 0.5 era, letter for letter. */
export const SEED_JOB = {
  Region: "global",
  ID: "binstore-storagelocker",
  Name: "binstore-storagelocker",
  Type: "service",
  Priority: 50,
  AllAtOnce: false,
  Datacenters: ["us2", "eu1"],
  Constraints: [
    {
      LTarget: "${attr.kernel.os}",
      RTarget: "windows",
      Operand: "=",
    },
  ],
  TaskGroups: [
    {
      Name: "binsl",
      Count: 5,
      Constraints: [
        {
          LTarget: "${attr.kernel.os}",
          RTarget: "linux",
          Operand: "=",
        },
      ],
      Tasks: [
        {
          Name: "binstore",
          Driver: "docker",
          Config: {
            image: "hashicorp/binstore",
          },
          Constraints: null,
          Resources: {
            CPU: 500,
            MemoryMB: 0,
            DiskMB: 0,
            IOPS: 0,
            Networks: [
              {
                Device: "",
                CIDR: "",
                IP: "",
                MBits: 100,
                ReservedPorts: null,
                DynamicPorts: null,
              },
            ],
          },
          Meta: null,
        },
        {
          Name: "storagelocker",
          Driver: "java",
          Config: {
            image: "hashicorp/storagelocker",
          },
          Constraints: [
            {
              LTarget: "${attr.kernel.arch}",
              RTarget: "amd64",
              Operand: "=",
            },
          ],
          Resources: {
            CPU: 500,
            MemoryMB: 0,
            DiskMB: 0,
            IOPS: 0,
            Networks: null,
          },
          Meta: null,
        },
      ],
      Meta: {
        elb_checks: "3",
        elb_interval: "10",
        elb_mode: "tcp",
      },
    },
  ],
  Update: {
    Stagger: 0,
    MaxParallel: 0,
  },
  Meta: {
    foo: "bar",
  },
  Status: "",
  StatusDescription: "",
  CreateIndex: 14,
  ModifyIndex: 14,
};

/** As a 0.5 client registers a job: no datacenters, ports and bandwidth at the task, a service without address mode. */
export const TASK_NETWORK_JOB = {
  ID: "redis",
  Name: "redis",
  Type: "service",
  Priority: 50,
  Update: { Stagger: 0, MaxParallel: 0 },
  TaskGroups: [
    {
      Name: "cache",
      Count: 1,
      RestartPolicy: { Interval: 300e9, Attempts: 10, Delay: 25e9, Mode: "delay" },
      EphemeralDisk: { Sticky: false, Migrate: false, SizeMB: 300 },
      Tasks: [
        {
          Name: "redis",
          Driver: "docker",
          Config: { image: "redis:3.2", port_map: [{ db: 6379 }] },
          Services: [
            {
              Id: "",
              Name: "${TASKGROUP}-redis-check",
              Tags: ["global", "cache"],
              PortLabel: "db",
              Checks: [{ Id: "", Name: "alive", Type: "tcp", Interval: 10e9, Timeout: 2e9 }],
            },
          ],
          Resources: {
            CPU: 500,
            MemoryMB: 256,
            DiskMB: 0,
            IOPS: 5,
            Networks: [{ MBits: 10, DynamicPorts: [{ Label: "db", Value: 0 }] }],
          },
          LogConfig: { MaxFiles: 10, MaxFileSizeMB: 10 },
        },
      ],
    },
  ],
};

/** A nightly batch job of the same era: one cron expression, no time zone, zeros for Update. */
export const PERIODIC_JOB = {
  Region: "global",
  ID: "nightly",
  Name: "nightly",
  Type: "batch",
  Priority: 30,
  Datacenters: ["dc1"],
  Update: { Stagger: 0, MaxParallel: 0 },
  Periodic: { Enabled: true, Spec: "0 3 * * *", SpecType: "cron", ProhibitOverlap: true },
  TaskGroups: [
    { Name: "report", Count: 1, Tasks: [{ Name: "report", Driver: "exec", Config: { command: "/bin/report" } }] },
  ],
};
