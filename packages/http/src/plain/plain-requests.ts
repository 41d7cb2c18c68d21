import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@steppe/model";
import { HeaderBlocks } from "./header-blocks.ts";
import { PlainConnection, type PlainNeeds } from "./plain-connection.ts";

/**
 * Serves the plain requests of a server: those that come whole and ask for nothing but an answer. They take about half
 * the CPU that they take of node:http, which still parses every new block of headers, and serves all else.
 */
export class PlainRequests {
  readonly #open = new Set<PlainConnection>();

  /** Takes over the connections that the server's own listener would get from now on. */
  constructor(server: Server, clock: Clock, { serve, isClosing }: Pick<PlainNeeds, "serve" | "isClosing">) {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    const needs: PlainNeeds = {
      ...{ serve, isClosing, blocks: new HeaderBlocks(), date: dates(clock) },
      times: server,
      handOver: (socket) => {
        for (const listener of listeners) listener.call(server, socket);
      },
      left: (connection) => this.#open.delete(connection),
    };
    server.on("connection", (socket: Socket) => {
      this.#open.add(new PlainConnection(socket, needs));
    });
  }

  /** Ends connections on which no request is under way. */
  endIdle(): void {
    for (const connection of this.#open) connection.endIfIdle();
  }

  /** Ends all. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }
}

/** The text of a Date header, made anew each second. */
function dates(clock: Clock): () => string {
  let second = -1;
  let text = "";
  return () => {
    const now = Math.floor(clock.wallNs() / 1e9);
    if (now !== second) text = new Date(now * 1000).toUTCString();
    second = now;
    return text;
  };
}
