// What the machine does right now.
import { statfsSync } from "node:fs";
import os from "node:os";

export function hostStats(allocDir: string, nowNs: number): object {
  const free = os.freemem();
  const total = os.totalmem();
  const disk = diskStats(allocDir);
  return {
    Timestamp: nowNs,
    Uptime: Math.floor(os.uptime()),
    CPU: os.cpus().map(({ times }, id) => {
      const sum = times.user + times.nice + times.sys + times.idle + times.irq || 1;
      const share = (value: number) => (100 * value) / sum;
      return {
        CPU: `cpu${id}`,
        User: share(times.user + times.nice),
        System: share(times.sys + times.irq),
        Idle: share(times.idle),
        TotalPercent: share(sum - times.idle),
      };
    }),
    CPUTicksConsumed: os.cpus().reduce((sum, { speed, times }) => {
      const all = times.user + times.nice + times.sys + times.idle + times.irq || 1;
      return sum + speed * (1 - times.idle / all);
    }, 0),
    Memory: { Total: total, Available: free, Used: total - free, Free: free },
    DiskStats: [disk],
    AllocDirStats: disk,
    DeviceStats: null,
  };
}

function diskStats(path: string): object {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
  const [size, available] = [bsize * blocks, bsize * bavail];
  const percent = (used: number, all: number) => (all === 0 ? 0 : (100 * used) / all);
  return {
    Device: "",
    Mountpoint: path,
    Size: size,
    Used: size - available,
    Available: available,
    UsedPercent: percent(size - available, size),
    InodesUsedPercent: percent(files - ffree, files),
  };
}
