/** A service of three real processes that say hello and go on running. */
export function demoJob(id: string) {
  return {
    ID: id,
    Name: id,
    Type: "service",
    Datacenters: ["dc1"],
    TaskGroups: [
      {
        Name: "greeters",
        Count: 3,
        Tasks: [
          {
            Name: "greet",
            Driver: "raw_exec",
            Config: {
              command: "/bin/sh",
              args: ["-c", 'echo "hello from $NOMAD_ALLOC_NAME in $NOMAD_REGION"; exec sleep 3600'],
            },
            Resources: { CPU: 50, MemoryMB: 32 },
          },
        ],
      },
    ],
  };
}
