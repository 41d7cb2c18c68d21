import type { RegionBus } from "@steppe/log";
import type { Clock, Logger } from "@steppe/model";
import { type Member, MemberList } from "@steppe/proto";

const SUBJECT = "members";

export interface PresenceNeeds {
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This server as it is now. */
  self(): Member;
  merge(members: readonly Member[]): void;
}

/** How often a server shows itself to the others of its region. Liveness is judged after five silent periods. */
const PERIOD_MS = 1000;

/** Servers of one region find each other through their NATS: each says once a second that it is there. */
export async function keepPresence(needs: PresenceNeeds, signal: AbortSignal): Promise<void> {
  const { bus, clock, logger } = needs;
  const show = () => bus.publish(SUBJECT, MemberList.encode({ Members: [needs.self()] }).finish());
  bus.subscribe(
    SUBJECT,
    (payload) => {
      const { Members } = MemberList.decode(payload);
      const others = Members.filter((member) => member.Name !== needs.self().Name);
      if (others.length > 0) needs.merge(others);
    },
    signal,
  );
  while (!signal.aborted) {
    try {
      show();
    } catch (error) {
      logger.debug({ error }, "cannot show this server to its region now");
    }
    await clock.after(PERIOD_MS, signal).catch(() => undefined);
  }
}
