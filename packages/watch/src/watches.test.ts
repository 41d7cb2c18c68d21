import { Changes } from "@steppe/state";
import { describe, expect, test } from "vitest";
import { CROWD_MIN, Watches } from "./watches.ts";

/** So many that wait for one job, on an event loop whose turns the test ends. */
function world(count: number) {
  const turns: (() => void)[] = [];
  const watches = new Watches({ afterTurn: (work) => void turns.push(work) });
  const woken: number[] = [];
  const leave = Array.from({ length: count }, (_, n) =>
    watches.subscribe({ kind: "job", id: "default/web" }, () => woken.push(n)),
  );
  const change = () => {
    const changes = new Changes(1);
    changes.jobs.add("default/web");
    watches.publish(changes);
  };
  const endTurn = () => {
    for (const work of turns.splice(0)) work();
  };
  return { watches, woken, leave, change, endTurn };
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("watches", () => {
  test("a few that wait, are woken at once", () => {
    const { woken, change } = world(CROWD_MIN - 1);
    change();
    expect(woken).toEqual(upTo(CROWD_MIN - 1));
  });

  test("a crowd, is woken when the turn is over, once for all changes of the turn", () => {
    const { woken, change, endTurn } = world(CROWD_MIN);
    change();
    change();
    expect(woken).toEqual([]);
    endTurn();
    expect(woken).toEqual(upTo(CROWD_MIN));
    change();
    endTurn();
    expect(woken).toHaveLength(2 * CROWD_MIN);
  });

  test("one of a crowd that leaves before its turn, is not woken", () => {
    const { watches, woken, leave, change, endTurn } = world(CROWD_MIN);
    change();
    leave[2]?.();
    endTurn();
    expect(woken).toEqual(upTo(CROWD_MIN).filter((n) => n !== 2));
    expect(watches.waiting).toBe(CROWD_MIN - 1);
  });

  test("a crowd of thousands, is woken a thousand in a turn", () => {
    const { woken, change, endTurn } = world(2_500);
    change();
    const told = [1, 2, 3].map(() => {
      endTurn();
      return woken.length;
    });
    expect(told).toEqual([1_000, 2_000, 2_500]);
    expect(new Set(woken).size).toBe(2_500);
  });
});
