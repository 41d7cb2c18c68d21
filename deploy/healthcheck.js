// Ends with 0 when the container does its work. An agent says so itself; a worker has no port, and
// works as long as it is connected to its region's NATS.
import { readFileSync } from "node:fs";

const NATS_PORT = Number(process.env.STEPPE_NATS_PORT ?? 4222);
const ESTABLISHED = "01";

const isWorker = readFileSync("/proc/1/cmdline", "utf8").split("\0").includes("worker");
process.exitCode = (isWorker ? connectedToNats() : await agentIsHealthy()) ? 0 : 1;

async function agentIsHealthy() {
  try {
    const { ok } = await fetch(process.env.STEPPE_HEALTH_URL ?? "http://127.0.0.1:4646/v1/agent/health");
    return ok;
  } catch {
    return false;
  }
}

/** `/proc/net/tcp`: local and remote `address:port` in hexadecimal, then the state. */
function connectedToNats() {
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(([, , remote, state]) => state === ESTABLISHED && Number.parseInt(remote.split(":")[1], 16) === NATS_PORT),
  );
}
