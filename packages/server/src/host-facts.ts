import { readFile, statfs } from "node:fs/promises";
import { arch, networkInterfaces, platform, release, version } from "node:os";

const MIB = 1024 * 1024;

/**
 * What an operator asks of a machine from afar. The environment is left out: whatever secrets a process has are
 * there.
 */
export async function hostFacts(agentId: string, dataDir: string): Promise<object> {
  return {
    AgentID: agentId,
    HostData: {
      OS: `${platform()} ${release()} ${arch()} ${version()}`,
      Network: Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
        name,
        address: addresses.map(({ cidr, address }) => cidr ?? address),
      })),
      ResolvConf: await textOf("/etc/resolv.conf"),
      Hosts: await textOf("/etc/hosts"),
      Environment: {},
      Disk: await diskOf(dataDir),
    },
  };
}

/** Empty where there is no such file, as on other systems. */
async function textOf(file: string): Promise<string> {
  return await readFile(file, "utf8").catch(() => "");
}

async function diskOf(path: string): Promise<object> {
  if (path === "") return {};
  const { bsize, blocks, bavail } = await statfs(path);
  return {
    [path]: { DiskMB: Math.floor((bsize * blocks) / MIB), UsedMB: Math.floor((bsize * (blocks - bavail)) / MIB) },
  };
}
