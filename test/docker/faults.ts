// What can go wrong with a container or a link, each with the way back.
import { type DockerCluster, REGIONS, type Region } from "./cluster.ts";

/** Something that was broken; `heal` mends it and may be called once. */
export interface Fault {
  heal(): Promise<void>;
}

export async function kill(cluster: DockerCluster, ...services: string[]): Promise<Fault> {
  // Compose restarts what dies by itself; a kill by the engine's API counts as wanted, so it stays down.
  await Promise.all(services.map((service) => cluster.signal(service, "SIGKILL")));
  return { heal: async () => void (await Promise.all(services.map((service) => cluster.start(service)))) };
}

export async function stop(cluster: DockerCluster, ...services: string[]): Promise<Fault> {
  await Promise.all(services.map((service) => cluster.stop(service)));
  return { heal: async () => void (await Promise.all(services.map((service) => cluster.start(service)))) };
}

export async function pause(cluster: DockerCluster, ...services: string[]): Promise<Fault> {
  await Promise.all(services.map((service) => cluster.pause(service)));
  return { heal: async () => void (await Promise.all(services.map((service) => cluster.resume(service)))) };
}

/** The wall clocks of servers jump by so many seconds, and back. */
export async function clockJump(cluster: DockerCluster, seconds: number, ...servers: string[]): Promise<Fault> {
  for (const server of servers) cluster.setClock(server, seconds);
  return {
    heal: async () => {
      for (const server of servers) cluster.setClock(server, 0);
    },
  };
}

/** Takes the region's servers off the wide-area network. */
export async function cutOff(cluster: DockerCluster, region: Region): Promise<Fault> {
  const servers = cluster.names(region, "server");
  await Promise.all(servers.map((server) => cluster.disconnect(server, "wan")));
  return { heal: async () => void (await Promise.all(servers.map((server) => cluster.connect(server, "wan")))) };
}

/** Adds one rule to each container, and takes it away again. */
async function rules(
  cluster: DockerCluster,
  given: readonly (readonly [service: string, rule: string[]])[],
): Promise<Fault> {
  await Promise.all(given.map(([service, rule]) => cluster.iptables(service, "-A", ...rule)));
  return {
    heal: async () =>
      void (await Promise.all(given.map(([service, rule]) => cluster.iptables(service, "-D", ...rule)))),
  };
}

/** Packets from `peers` do not reach `services`; with `both`, nor the other way. Nothing tells either side. */
export async function partition(
  cluster: DockerCluster,
  services: readonly string[],
  peers: readonly string[],
  network: string,
  both: boolean,
): Promise<Fault> {
  const given: [string, string[]][] = [];
  for (const service of services) {
    for (const peer of peers) {
      const address = await cluster.address(peer, network);
      given.push([service, ["INPUT", "-s", address, "-j", "DROP"]]);
      if (both) given.push([service, ["OUTPUT", "-d", address, "-j", "DROP"]]);
    }
  }
  return rules(cluster, given);
}

/** Servers of `region` and those of all others, by packets dropped at `region`. */
export async function partitionRegion(cluster: DockerCluster, region: Region, both: boolean): Promise<Fault> {
  const others = REGIONS.filter((other) => other !== region).flatMap((other) => cluster.names(other, "server"));
  return partition(cluster, cluster.names(region, "server"), others, "wan", both);
}

/** Every fifth packet that comes over the wide-area network to the region's servers is lost. */
export async function lossyLinks(cluster: DockerCluster, region: Region): Promise<Fault> {
  const loss = ["-m", "statistic", "--mode", "random", "--probability", "0.2", "-j", "DROP"];
  return rules(cluster, await wanRules(cluster, region, loss));
}

/** No more than so many packets a second come over the wide-area network to each of the region's servers. */
export async function slowLinks(cluster: DockerCluster, region: Region, packetsPerSecond: number): Promise<Fault> {
  const limit = ["-m", "limit", "--limit", `${packetsPerSecond}/s`, "--limit-burst", String(packetsPerSecond)];
  const passed = await rules(cluster, await wanRules(cluster, region, [...limit, "-j", "ACCEPT"]));
  const dropped = await rules(cluster, await wanRules(cluster, region, ["-j", "DROP"]));
  return {
    async heal() {
      await dropped.heal();
      await passed.heal();
    },
  };
}

async function wanRules(cluster: DockerCluster, region: Region, rule: string[]): Promise<[string, string[]][]> {
  const servers = cluster.names(region, "server");
  return Promise.all(
    servers.map(async (server): Promise<[string, string[]]> => {
      return [server, ["INPUT", "-d", await cluster.address(server, "wan"), ...rule]];
    }),
  );
}
